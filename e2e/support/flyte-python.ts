import { fileURLToPath } from "node:url";
import { pythonProgram, requirePython } from "./python-environment.ts";
import type { Requirement } from "./requirement.ts";

/** The releases of Flyte's own client that the suites drive: the newest one and one of the minor before it. */
export const FLYTE_VERSIONS = ["2.12.1", "2.11.4"] as const;

export type FlyteVersion = (typeof FLYTE_VERSIONS)[number];

/** The one for suites that run once. */
export const FLYTE_VERSION: FlyteVersion = FLYTE_VERSIONS[0];

/** What the suites of its command and its SDK run against; the older release with one kind of server only, to save time. */
export const FLYTE_SETUPS = [
  { version: "2.12.1", auth: "none" },
  { version: "2.12.1", auth: "token" },
  { version: "2.11.4", auth: "token" },
] as const satisfies readonly { version: FlyteVersion; auth: "none" | "token" }[];

const flyte = (version: FlyteVersion) => ({ name: "flyte", version, program: "flyte" });

/** The Python that has Flyte's client, in the virtual environment that {@link requireFlyte} makes. */
export function flytePythonOf(version: FlyteVersion): string {
  return pythonProgram(flyte(version), "python");
}

/** That Python for {@link FLYTE_VERSION}. */
export const flytePython = flytePythonOf(FLYTE_VERSION);

/** A script for that Python that runs Flyte's command line. */
export const FLYTE_CLI = fileURLToPath(new URL("flyte_cli.py", import.meta.url));

/** Makes a virtual environment with Flyte's client in the user's cache unless there is one already. */
export function requireFlyte(version: FlyteVersion = FLYTE_VERSION): Requirement {
  return requirePython(flyte(version));
}
