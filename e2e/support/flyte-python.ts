import { fileURLToPath } from "node:url";
import { pythonProgram, requirePython } from "./python-environment.ts";
import type { Requirement } from "./requirement.ts";

/** The pinned release of Flyte's own client. */
export const FLYTE_VERSION = "2.12.1";

const FLYTE = { name: "flyte", version: FLYTE_VERSION, program: "flyte" };

/** The Python that has Flyte's client, in the virtual environment that {@link requireFlyte} makes. */
export const flytePython = pythonProgram(FLYTE, "python");

/** A script for that Python that runs Flyte's command line. */
export const FLYTE_CLI = fileURLToPath(new URL("flyte_cli.py", import.meta.url));

/** Makes a virtual environment with Flyte's client in the user's cache unless there is one already. */
export function requireFlyte(): Requirement {
  return requirePython(FLYTE);
}
