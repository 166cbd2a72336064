import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { beforeEach, onTestFinished } from "vitest";
import { type ProgramResult, runProgram } from "./run-program.ts";

export const CLI = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");

/** What the commands of a {@link LocalHome} read from standard input. */
export const CANARY = "CANARY-new-value-4711";

/** A user's home with a data directory `store` in it, new for each test of the file. */
export interface LocalHome {
  readonly path: string;
  environment(rest?: Record<string, string>): Record<string, string>;
  /** The real command, in the home unless told otherwise; its standard input is the canary. */
  run(args: readonly string[], options?: { env?: Record<string, string>; cwd?: string }): Promise<ProgramResult>;
  /** `create secret stripe-key` with the canary. */
  create(...args: string[]): Promise<ProgramResult>;
  /** `serve` on the data directory, until the test is over. */
  serve(): Promise<ServeProcess>;
}

/** Makes and removes the home around each test; its fields are set while a test runs. */
export function useLocalHome(): LocalHome {
  const fields = { path: "" };
  beforeEach(() => {
    fields.path = mkdtempSync(join(tmpdir(), "local-user-"));
    return () => rmSync(fields.path, { recursive: true });
  });
  const environment = (rest: Record<string, string> = {}) => ({
    HOME: fields.path,
    SECRET_STORE_PATH: join(fields.path, "store"),
    ...rest,
  });
  const run: LocalHome["run"] = (args, { env, cwd = fields.path } = {}) =>
    runProgram(process.execPath, [CLI, ...args], { env: environment(env), cwd, input: CANARY });
  return Object.assign(fields, {
    environment,
    run,
    create: (...args: string[]) => run(["create", "secret", "stripe-key", "--from-file", "-", ...args]),
    async serve() {
      const server = await startServe({ directory: fields.path });
      onTestFinished(async () => void (await server.close()));
      return server;
    },
  });
}
