import { pythonProgram, requirePython } from "./python-environment.ts";
import type { Requirement } from "./requirement.ts";

/** The newest messages that Flyte has published: npm's package, which ours come from, stands at 2.0.16. */
export const FLYTEIDL2_VERSION = "2.0.53";

const flyteidl2 = {
  name: "flyteidl2",
  version: FLYTEIDL2_VERSION,
  companions: ["connectrpc==0.10.1"],
  program: "python",
};

/**
 * The Python that has these messages, and Connect to send them with, in the virtual environment of {@link
 * requireFlyteidl2}.
 */
export const FLYTEIDL2_PYTHON = pythonProgram(flyteidl2, "python");

/** Makes a virtual environment with Flyte's messages in the user's cache unless there is one already. */
export function requireFlyteidl2(): Requirement {
  return requirePython(flyteidl2);
}
