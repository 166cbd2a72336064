import { readFileSync } from "node:fs";
import { type RunnerTestCase as TestCase, TestRunner } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** What came of each attack of a test; `attack-table.ts` prints them. */
    attacks?: AttackReport[];
  }
}

/** What the chart gives the service, and the webhook. */
export const CHART_LIMIT_MIB = 512;
/** How the image starts Node, and the largest heap that V8 takes by itself where the chart's limit holds. */
export const AS_IN_THE_IMAGE = ["--max-old-space-size=256", "--max-semi-space-size=8"];

/** Whom an attack is meant for, and somebody who wants to be served meanwhile. */
export interface AttackedProgram {
  readonly pid: number;
  /** One request of the good client's; throws when it isn't answered as it should be. */
  readonly ask: () => Promise<void>;
}

/** What became of a program, and of its good client, while it was attacked. */
export interface AttackReport {
  /**
   * Requests of the good client's that were answered as they should be: one at least before the attack, and one after
   * it.
   */
  readonly answered: number;
  /** Why the others weren't; at most ten. */
  readonly failures: readonly string[];
  readonly slowestMs: number;
  /**
   * The most resident memory that was seen, in MiB (Linux's VmHWM is the kernel's own maximum, so nothing is missed).
   */
  readonly peakMib: number;
}

/**
 * Runs `attack` while a good client asks one request after the other. Asks once before it and once after it, so that a
 * program that has ended, or that answers nobody any more, shows as a failure. The report is kept with the test, for
 * the table at the end of a run. Throws what `attack` throws.
 */
export async function underAttack(program: AttackedProgram, attack: () => Promise<void>): Promise<AttackReport> {
  let answered = 0;
  let slowestMs = 0;
  const failures: string[] = [];
  const ask = async () => {
    const started = performance.now();
    try {
      await program.ask();
      answered += 1;
    } catch (error) {
      if (failures.length < 10) failures.push(String(error));
    }
    slowestMs = Math.max(slowestMs, performance.now() - started);
  };

  await ask();
  let over = false;
  const asking = (async () => {
    while (!over) {
      await ask();
      // An answer that comes at once, a refused connection for example, must not keep the attack from being sent.
      await new Promise(setImmediate);
    }
  })();
  try {
    await attack();
  } finally {
    over = true;
    await asking;
  }
  await ask();
  const report = { answered, failures, slowestMs: Math.round(slowestMs), peakMib: peakMib(program.pid) };
  // None in a hook.
  const meta = TestRunner.getCurrentTest<TestCase | undefined>()?.meta;
  if (meta !== undefined) meta.attacks = [...(meta.attacks ?? []), report];
  return report;
}

/** The most resident memory that the process ever had, in MiB; throws once it has ended. */
export function peakMib(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kib) / 1024);
}
