import * as os from "node:os";
import { homeDirectory } from "@flyte-secrets/core";

/** What the SDK reads of the process around it; tests pass their own. */
export interface ClientEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
  /** Receives warnings, such as about a file of another owner that is ignored. Default: Node's process warnings. */
  readonly warn?: (message: string) => void;
}

/** The environment of this process, as it is now: the only place of the SDK that looks. */
export function processEnvironment(): ClientEnvironment {
  // biome-ignore lint/style/noProcessEnv: this module is where the SDK reads the environment.
  const variables = process.env;
  return {
    variables,
    // Only when it is needed: a task in a pod may have none.
    get home() {
      return homeDirectory(os);
    },
    cwd: process.cwd(),
  };
}
