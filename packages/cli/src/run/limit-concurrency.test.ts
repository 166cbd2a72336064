import { expect, test } from "vitest";
import { limitConcurrency } from "./limit-concurrency.ts";

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
