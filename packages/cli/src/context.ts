import type { Readable } from "node:stream";
import type { Output } from "./output.ts";

/**
 * Everything a command touches outside itself: passed in, so that a command can be run with other streams, another home
 * and another environment. Only `main.ts` fills it from the process.
 */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly home: string;
  readonly cwd: string;
  /** Major, minor and patch of the Node that runs this. */
  readonly nodeVersion: string;
  /**
   * From the first call on, SIGINT, SIGTERM and SIGHUP abort the signal instead of ending the process; the second one ends it at
   * once. A command that never calls it dies of the first, as people expect.
   */
  interruption(): AbortSignal;
}

/** The environment that the SDK's lookup of a connection takes; its warnings go to standard error. */
export function sdkEnvironment({ env, home, cwd, stderr }: CliContext) {
  return { variables: env, home, cwd, warn: (message: string) => stderr.warn(message) };
}
