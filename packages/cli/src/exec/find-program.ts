import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { excerpt } from "@flyte-secrets/core";

/** Exit codes of POSIX shells for a command that does not start. */
export const NOT_FOUND = 127;
export const NOT_EXECUTABLE = 126;

/** Why a command cannot be started, and the exit code for it. */
export interface ProgramFault {
  readonly exit: typeof NOT_FOUND | typeof NOT_EXECUTABLE;
  readonly problem: string;
}

/** What keeps `command` from being started with that `PATH`, if anything does: the rules of execvp(3). */
export function findProgramFault(
  command: string,
  { path = "/usr/bin:/bin", cwd }: { readonly path: string | undefined; readonly cwd: string },
): ProgramFault | undefined {
  const places = command.includes("/") ? [""] : path.split(delimiter);
  const faults = places.map((place) => faultOf(resolve(cwd, place, command)));
  if (command !== "" && faults.includes(undefined)) return undefined;
  const name = excerpt(command);
  const refused = faults.find((fault) => fault !== "absent");
  if (command === "" || refused === undefined) {
    return { exit: NOT_FOUND, problem: `${name || '""'}: there is no such command` };
  }
  return { exit: NOT_EXECUTABLE, problem: `${name} can't be executed: ${refused}` };
}

function faultOf(file: string): "absent" | "it is a directory" | "permission denied" | undefined {
  try {
    if (statSync(file).isDirectory()) return "it is a directory";
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EACCES" ? "permission denied" : "absent";
  }
}
