import type { RunnerTestCase } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Why this fails in Flyte's own client, which is what the test shows. */
    failsInFlyte?: string;
  }
}

/**
 * Says that a test shows what Flyte's client can't do whatever it talks to, and why; the table of results then says so.
 */
export function failsInFlyte(task: RunnerTestCase, reason: string): void {
  task.meta.failsInFlyte = reason;
}
