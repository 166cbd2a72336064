import { ENTER, runOnTerminal, type TerminalStep } from "@flyte-secrets/testkit/terminal";
import { FLYTE_CLI, type FlyteVersion, flytePythonOf } from "./flyte-python.ts";
import type { FlyteServer } from "./flyte-server.ts";
import { type ProgramResult, runProgram } from "./run-program.ts";

/** What `get secret` says of a secret, as far as the tests look at it. */
export interface ShownSecret {
  readonly id: { readonly name: string; readonly domain?: string; readonly project?: string };
  readonly secretMetadata: Readonly<Record<string, unknown>>;
}

/**
 * Flyte's command as a user of its own home directory has it. Each call is a process of its own, and takes most of a
 * second.
 */
export interface FlyteCommand {
  run(...args: string[]): Promise<ProgramResult>;
  /** Runs it, and throws with its output unless it succeeds. */
  succeed(...args: string[]): Promise<ProgramResult>;
  /** Runs it at a terminal, and types lines. */
  type(args: readonly string[], lines: readonly TerminalStep[]): Promise<{ exitCode: number; screen: string }>;
  /** `get secret NAME`. */
  get(name: string, ...scope: string[]): Promise<ShownSecret>;
  /** `get secret`: the ids, sorted, as project/domain/name. */
  list(...scope: string[]): Promise<string[]>;
}

/** The command of that release, with the configuration of that server's home. `env` is added to its environment. */
export function flyteCommand(
  version: FlyteVersion,
  { home }: FlyteServer,
  env: Readonly<Record<string, string>> = {},
): FlyteCommand {
  const python = flytePythonOf(version);
  const options = { env: { HOME: home, COLUMNS: "250", NO_COLOR: "1", TERM: "dumb", ...env }, cwd: home };
  const run: FlyteCommand["run"] = (...args) => runProgram(python, [FLYTE_CLI, ...args], options);
  const succeed: FlyteCommand["succeed"] = async (...args) => {
    const result = await run(...args);
    if (result.exitCode !== 0) throw new Error(`flyte ${args.join(" ")}: ${result.stdout}${result.stderr}`);
    return result;
  };
  return {
    run,
    succeed,
    type(args, lines) {
      const steps = lines.map(({ after, type }) => ({ after, type: `${type}${ENTER}` }));
      const env = { PATH: process.env.PATH ?? "", ...options.env };
      return runOnTerminal({ file: python, args: [FLYTE_CLI, ...args], env, cwd: options.cwd, steps });
    },
    async get(name, ...scope) {
      const { stdout } = await succeed("get", "secret", name, ...scope);
      // What Flyte calls JSON for a single secret is a Python literal.
      const toJson = "import ast, json, sys; json.dump(ast.literal_eval(sys.stdin.read()), sys.stdout)";
      return JSON.parse((await runProgram(python, ["-c", toJson], { input: stdout })).stdout)[0];
    },
    async list(...scope) {
      const { stdout } = await succeed("-of", "json-raw", "get", "secret", ...scope);
      const secrets: ShownSecret[] = JSON.parse(stdout);
      return secrets.map(({ id: { project = "", domain = "", name } }) => `${project}/${domain}/${name}`).toSorted();
    },
  };
}
