import type { Readable } from "node:stream";
import type { Output } from "./output.ts";

/**
 * The environment, streams and directories of a command. They are passed in, so that tests run commands with their own;
 * `main.ts` alone takes them from the process.
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
   * From the first call on, SIGINT, SIGTERM and SIGHUP abort the signal instead of ending the process; the second one
   * ends it at once. A command that never calls it is ended by the first.
   */
  interruption(): AbortSignal;
  /**
   * Until the returned function is called, these signals go to `to` instead of acting on this process: for a program
   * that it stands for.
   */
  relaySignals(to: (signal: RelayedSignal) => void): () => void;
}

/** The signals that people, terminals and supervisors send to programs. */
export const RELAYED_SIGNALS = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGUSR1",
  "SIGUSR2",
  "SIGTSTP",
  "SIGCONT",
] as const;

export type RelayedSignal = (typeof RELAYED_SIGNALS)[number];

/** The environment that the SDK's lookup of a connection takes; its warnings go to standard error. */
export function sdkEnvironment({ env, home, cwd, stderr }: CliContext) {
  return { variables: env, home, cwd, warn: (message: string) => stderr.warn(message) };
}
