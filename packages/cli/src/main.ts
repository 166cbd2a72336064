import { writeFileSync } from "node:fs";
import { VERSION_FLAGS, version } from "./program-files.ts";

/** The command itself: arguments, streams and environment from the process, exit code into it. */
export async function main(process: NodeJS.Process): Promise<void> {
  withholdFromCoreDumps();
  // Whoever reads our output may stop reading: `flyte-secrets get secret | head -1`.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    // The terminal is gone, and SIGHUP has told whoever wants to know.
    if (error.code === "EIO" && process.stdout.isTTY) return;
    const why = error.code === "ENOSPC" ? "no space is left there" : error.message;
    process.stderr.write(`error: standard output can't be written: ${why}\n`, () => process.exit(1));
  });
  // A closed standard error must not end a server; the exit code still reports a failure.
  process.stderr.on("error", () => {});
  const argv = process.argv.slice(2);
  if (argv.length === 1 && VERSION_FLAGS.some((flag) => flag === argv[0])) {
    // Scripts ask for it before anything else: none of the commands is loaded for it.
    process.stdout.write(`${version()}\n`);
    return;
  }
  const { runCommandLine } = await import("./command-line.ts");
  const { hostOf } = await import("./host.ts");
  process.exitCode = await runCommandLine(argv, hostOf(process));
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
