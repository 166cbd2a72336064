import { writeFileSync } from "node:fs";

/**
 * Keeps this process's memory, and that of the processes it starts, out of core dumps: values and keys are in it. Linux writes a dump
 * with no memory at all then (core(5), `coredump_filter`). Where there is no such file, the limits of the system decide.
 */
export function withholdFromCoreDumps(): void {
  try {
    writeFileSync("/proc/self/coredump_filter", "0");
  } catch {
    // Not Linux, or a sandbox that doesn't let it be set.
  }
}
