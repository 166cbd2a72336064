import { fileURLToPath } from "node:url";
import { pythonProgram, requirePython } from "./python-environment.ts";
import type { Requirement } from "./requirement.ts";

/** The releases of Flyte's own client that the suites drive: the newest one and one of the minor before it. */
export type FlyteVersion = "2.12.1" | "2.11.4";

/** The one for suites that run once. */
export const FLYTE_VERSION: FlyteVersion = "2.12.1";

const flyte = (version: FlyteVersion) => ({ name: "flyte", version, program: "flyte" });

/** The Python that has Flyte's client, in the virtual environment that {@link requireFlyte} makes. */
export function flytePythonOf(version: FlyteVersion): string {
  return pythonProgram(flyte(version), "python");
}

/** A script for that Python that runs Flyte's command line. */
export const FLYTE_CLI = fileURLToPath(new URL("flyte_cli.py", import.meta.url));

/** Makes a virtual environment with Flyte's client in the user's cache unless there is one already. */
export function requireFlyte(version: FlyteVersion = FLYTE_VERSION): Requirement {
  return requirePython(flyte(version));
}
