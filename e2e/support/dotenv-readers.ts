import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory, type PythonPackage, pythonProgram } from "./python-environment.ts";
import type { Requirement } from "./requirement.ts";

export const PYTHON_DOTENV: PythonPackage = { name: "python-dotenv", version: "1.2.4", program: "dotenv" };

const COMPOSE_SOURCE = join(import.meta.dirname, "../compose");
const COMPOSE_READER = join(cacheDirectory, "compose-dotenv-v2.16.2", "reader");

/** What a reader makes of a file: its variables, or undefined when it refuses the file. */
export type DotenvAnswer = Readonly<Record<string, string>> | undefined;

/** docker compose's reader of `.env` files, from its own library (`e2e/compose`). Takes half a minute once. */
export function requireComposeReader(): Requirement {
  if (existsSync(COMPOSE_READER)) return { missing: false };
  const build = ["build", "-C", COMPOSE_SOURCE, "-trimpath", "-o", COMPOSE_READER, "."];
  const enable = `CGO_ENABLED=0 go ${build.join(" ")}`;
  if (spawnSync("go", ["version"]).status !== 0)
    return { missing: true, what: "Go, for docker compose's reader", enable };
  try {
    execFileSync("go", build, { env: { ...process.env, CGO_ENABLED: "0" }, stdio: "pipe" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { missing: true, what: `docker compose's reader (${reason})`, enable };
  }
  return { missing: false };
}

/** What python-dotenv reads of each file, opened as `load_dotenv` opens one. */
export function readByPython(files: readonly string[]): DotenvAnswer[] {
  const script = `
import io, json, sys
from dotenv.main import DotEnv
for line in sys.stdin:
    stream = io.TextIOWrapper(io.BytesIO(json.loads(line).encode()), encoding="utf-8")
    print(json.dumps(DotEnv(dotenv_path=None, stream=stream, interpolate=True).dict()))
`;
  return answers(pythonProgram(PYTHON_DOTENV, "python"), ["-c", script], files);
}

/** What docker compose reads of each file. */
export function readByCompose(files: readonly string[]): DotenvAnswer[] {
  return answers(COMPOSE_READER, [], files);
}

function answers(program: string, args: readonly string[], files: readonly string[]): DotenvAnswer[] {
  const input = files.map((file) => `${JSON.stringify(file)}\n`).join("");
  const output = execFileSync(program, args, {
    input,
    // No variable of this process is there to be put into values.
    env: {},
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["pipe", "pipe", "ignore"],
  });
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) ?? undefined);
}
