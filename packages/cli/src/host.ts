import * as os from "node:os";
import { homeDirectory } from "@flyte-secrets/core";
import { type CliContext, RELAYED_SIGNALS } from "./context.ts";
import { createOutput } from "./output.ts";

const SIGNAL_EXIT_BASE = 128;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** What a command is given of the process that it runs in. */
export function hostOf(process: NodeJS.Process): CliContext {
  return {
    env: process.env,
    stdin: process.stdin,
    stdout: createOutput(process.stdout, process.env),
    stderr: createOutput(process.stderr, process.env),
    // Read on demand: a command that needs no home must not fail for a wrong one.
    get home() {
      return homeDirectory(os);
    },
    cwd: process.cwd(),
    nodeVersion: process.versions.node,
    interruption: () => interruption(process),
    relaySignals(to) {
      for (const signal of RELAYED_SIGNALS) process.on(signal, to);
      return () => {
        for (const signal of RELAYED_SIGNALS) process.off(signal, to);
      };
    },
  };
}

function interruption(process: NodeJS.Process): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: keyof typeof SIGNALS) => {
    if (controller.signal.aborted) process.exit(SIGNAL_EXIT_BASE + SIGNALS[signal]);
    controller.abort();
  };
  process.on("SIGHUP", onSignal);
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}
