import { writeFileSync } from "node:fs";
import * as os from "node:os";
import { homeDirectory } from "@flyte-secrets/core";
import { runCommandLine } from "./command-line.ts";
import { type CliContext, RELAYED_SIGNALS } from "./context.ts";
import { createOutput } from "./output.ts";

const SIGNAL_EXIT_BASE = 128;
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** The command itself: arguments, streams and environment from the process, exit code into it. */
export async function main(process: NodeJS.Process): Promise<void> {
  withholdFromCoreDumps();
  // Whoever reads our output may stop reading: `flyte-secrets get secret | head -1`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    const why = error.code === "ENOSPC" ? "no space is left there" : error.message;
    process.stderr.write(`error: standard output can't be written: ${why}\n`, () => process.exit(1));
  });
  // A closed standard error must not end a server; the exit code still reports a failure.
  process.stderr.on("error", () => {});
  process.exitCode = await runCommandLine(process.argv.slice(2), hostOf(process));
}

function hostOf(process: NodeJS.Process): CliContext {
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

/**
 * Keeps this process's memory, and that of the processes it starts, out of core dumps: values and keys are in it. Linux
 * writes a dump with no memory at all then (core(5), `coredump_filter`). Where there is no such file, the limits of the
 * system decide.
 */
export function withholdFromCoreDumps(): void {
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {
    // Not Linux, or a sandbox that doesn't let it be set.
  }
}
