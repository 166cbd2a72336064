import * as os from "node:os";
import { homeDirectory } from "@flyte-secrets/core";

/** The parts of the process that the SDK reads; tests pass their own. */
export interface ClientEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  /** Receives warnings, such as about a file of another owner that is ignored. Default: Node's process warnings. */
  readonly warn?: (message: string) => void;
}

/** The current environment of this process. No other module of the SDK reads it. */
export function processEnvironment(): ClientEnvironment {
  // biome-ignore lint/style/noProcessEnv: this module is where the SDK reads the environment.
  const variables = process.env;
  return {
    variables,
    // Read only when it is needed: a process in a pod may have no home directory.
    get home() {
      return homeDirectory(os);
    },
    cwd: process.cwd(),
  };
}
