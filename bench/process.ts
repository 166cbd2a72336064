import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** Resident memory of a running process in MiB (Linux's VmRSS). */
export function residentMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kib) / 1024);
}

/** Microseconds of CPU that a running process has used, all of its threads together, in steps of 10 ms. */
export function cpuUs(pid: number): number {
  const { utime, stime } = cpuTicks(pid);
  return (utime + stime) * 10_000;
}

/** The same of all processes that this one has started and that have ended, and of those that they started. */
export function endedChildrenCpuUs(): number {
  const { cutime, cstime } = cpuTicks(process.pid);
  return (cutime + cstime) * 10_000;
}

function cpuTicks(pid: number) {
  // The fields behind the name, which may contain blanks: utime is the 14th of all.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15).map(Number);
  return { utime, stime, cutime, cstime };
}

/** Milliseconds from exec to exit of a program, whose output goes nowhere; throws unless it ends with 0. */
export async function timeToExit(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const started = performance.now();
  const child = spawn(file, args, { env: { PATH: process.env.PATH, ...env }, stdio: ["ignore", "ignore", "inherit"] });
  const [exitCode] = await once(child, "exit");
  if (exitCode !== 0) throw new Error(`${file} ${args.slice(0, 3).join(" ")} ended with ${exitCode}`);
  return performance.now() - started;
}
