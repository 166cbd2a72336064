import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const READY_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 10_000;

export interface ServerProcessOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** What it prints goes to the end of this file. */
  readonly log: string;
  /** Throws while it is not ready. */
  readonly probe: () => Promise<void>;
}

/** A server that tests start and stop, each time with the same arguments and so with the same port and data. */
export interface ServerProcess {
  /**
   * Ready when it resolves; throws with the end of the log when it isn't within two minutes. Does nothing while it
   * runs.
   */
  start(): Promise<void>;
  /** Ends it: in order, or with `SIGKILL` in the middle of whatever it does. Does nothing when it isn't running. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Stands still, with its connections open, until it is resumed. */
  pause(): void;
  resume(): void;
}

export function createServerProcess({ file, args, log, probe }: ServerProcessOptions): ServerProcess {
  let running: ChildProcess | undefined;
  const hasEnded = () => running === undefined || running.exitCode !== null || running.signalCode !== null;
  return {
    async start() {
      if (!hasEnded()) return;
      const output = openSync(log, "a", 0o600);
      running = spawn(file, args, { stdio: ["ignore", output, output] });
      closeSync(output);
      const end = Date.now() + READY_LIMIT_MS;
      for (;;) {
        try {
          return await probe();
        } catch (error) {
          if (!hasEnded() && Date.now() < end) await delay(200);
          else throw new Error(`not ready:\n${readFileSync(log, "utf8").slice(-4000)}`, { cause: error });
        }
      }
    },
    async stop(signal = "SIGTERM") {
      const child = running;
      if (child === undefined || hasEnded()) return;
      const ended = once(child, "exit");
      child.kill(signal);
      const cut = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
      await ended;
      clearTimeout(cut);
    },
    pause: () => void running?.kill("SIGSTOP"),
    resume: () => void running?.kill("SIGCONT"),
  };
}
