import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it, test } from "vitest";
import { limitConcurrency, runConcurrently } from "./concurrency.ts";

test("starts jobs in order, never more at once than allowed, and goes on after one that fails", async () => {
  const limit = limitConcurrency(2);
  const started: number[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<number>());
  const jobs = gates.map(({ promise }, index) =>
    limit(() => {
      started.push(index);
      return promise;
    }),
  );
  const outcomes = Promise.allSettled(jobs);
  expect(started).toEqual([0, 1]);
  gates[1]?.reject(new Error("one fails"));
  await expect(jobs[1]).rejects.toThrow("one fails");
  await expect.poll(() => started).toEqual([0, 1, 2]);
  for (const [index, gate] of gates.entries()) gate.resolve(index);
  expect((await outcomes).map((outcome) => (outcome.status === "fulfilled" ? outcome.value : "failed"))).toEqual([
    0,
    "failed",
    2,
    3,
  ]);
  expect(started).toEqual([0, 1, 2, 3]);
});

const steps = Array.from({ length: 100 }, (_, index) => index);
const signal = new AbortController().signal;

it("does every step once, a bounded number at a time, and tells outcomes in the order of the steps", async () => {
  let under = 0;
  let most = 0;
  const progress: number[] = [];
  const act = async (step: number) => {
    most = Math.max(most, ++under);
    for (let turns = step % 7; turns > 0; turns--) await nextTurn();
    under--;
    return step * 2;
  };
  const { outcomes, done, failure } = await runConcurrently(steps, act, {
    signal,
    onProgress: (n) => progress.push(n),
  });
  expect(outcomes).toEqual(steps.map((step) => step * 2));
  expect([done, failure, most]).toEqual([100, undefined, 32]);
  expect(progress).toEqual(steps.map((step) => step + 1));
  expect(await runConcurrently([], act, { signal })).toEqual({ outcomes: [], done: 0, failure: undefined });
});

it("begins nothing after the first failure, and lets those in flight end", async () => {
  const begun: number[] = [];
  const act = async (step: number) => {
    begun.push(step);
    await nextTurn();
    if (step === 3 || step === 5) throw new Error(`step ${step}`);
    return step;
  };
  const { outcomes, done, failure } = await runConcurrently(steps, act, { signal });
  expect(failure).toEqual({ index: 3, error: new Error("step 3") });
  expect(begun.length).toBeLessThan(40);
  expect(done).toBe(begun.length - 2);
  expect(outcomes.filter((each) => each !== undefined)).toHaveLength(done);
});

it("begins nothing once it is aborted, and lets those in flight end", async () => {
  const interrupted = new AbortController();
  const begun: number[] = [];
  const act = async (step: number) => {
    begun.push(step);
    if (step === 40) interrupted.abort();
    await nextTurn();
    return step;
  };
  const { done, failure } = await runConcurrently(steps, act, { signal: interrupted.signal });
  expect([done, failure]).toEqual([begun.length, undefined]);
  expect(begun).toContain(40);
  expect(begun.length).toBeLessThan(80);
});
