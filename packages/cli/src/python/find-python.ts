import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { excerpt, SecretsError } from "@flyte-secrets/core";
import { projectDirectories } from "../project-file/project-directories.ts";

/** Names of virtual environments, as uv, Poetry and the Python documentation make them. */
const ENVIRONMENTS = [".venv", "venv"];

export interface FindPythonOptions {
  /** `--python`: a program, by its path or its name on PATH, or a virtual environment. */
  readonly given?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * The absolute path of the Python that imports a user's file: the given one; that of the active virtual environment
 * (`VIRTUAL_ENV`); that of `.venv` or `venv` beside the file or above it, up to the root of its project; `python3` or
 * `python` on PATH. Environments of other users are passed over, since anybody may put one into `/tmp`. Throws `usage`
 * when there is none.
 */
export function findPython(file: string, { given, env, cwd }: FindPythonOptions): string {
  if (given !== undefined) return givenPython(given, { env, cwd });
  const active = env.VIRTUAL_ENV;
  if (active) {
    return (
      programOf(active) ??
      fail(`VIRTUAL_ENV is ${excerpt(active)}, which has no bin/python: activate another one, or use --python`)
    );
  }
  return (
    projectDirectories(dirname(file))
      .flatMap((directory) => ENVIRONMENTS.map((name) => join(directory, name)))
      .filter(isOwn)
      .map(programOf)
      .find((program) => program !== undefined) ??
    onPath("python3", env) ??
    onPath("python", env) ??
    fail("there is no Python: no .venv beside the file, no python3 on PATH; name one with --python")
  );
}

function givenPython(given: string, { env, cwd }: Omit<FindPythonOptions, "given">): string {
  const path = resolve(cwd, given);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    return programOf(path) ?? fail(`--python: ${excerpt(given)} is a directory without bin/python`);
  }
  if (existsSync(path)) return path;
  const found = given.includes("/") ? undefined : onPath(given, env);
  return found ?? fail(`--python: there is no ${excerpt(given)}${given.includes("/") ? "" : " here or on PATH"}`);
}

/** Whether a directory is this user's or the administrator's. */
function isOwn(directory: string): boolean {
  const stats = statSync(directory, { throwIfNoEntry: false });
  return stats !== undefined && [0, process.getuid?.() ?? stats.uid].includes(stats.uid);
}

function programOf(environment: string): string | undefined {
  const program = join(environment, "bin/python");
  return existsSync(program) ? program : undefined;
}

function onPath(name: string, { PATH = "" }: FindPythonOptions["env"]): string | undefined {
  // As the shell: an empty entry is the current directory, which nothing is started from here.
  const programs = PATH.split(delimiter).filter(Boolean);
  return programs.map((directory) => join(directory, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function fail(message: string): never {
  throw new SecretsError("usage", message);
}
