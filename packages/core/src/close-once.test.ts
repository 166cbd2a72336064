import { expect, test } from "vitest";
import { closeOnce } from "./close-once.ts";

test("closes once, with the options of the first call, and gives every caller the same end", async () => {
  const calls: number[] = [];
  const { promise, reject } = Promise.withResolvers<void>();
  const close = closeOnce(({ graceMs }: { readonly graceMs: number }) => {
    calls.push(graceMs);
    return promise;
  });
  const [first, second] = [close({ graceMs: 10 }), close({ graceMs: 0 })];
  expect(second).toBe(first);
  reject(new Error("the disk is full"));
  await expect(second).rejects.toThrow("the disk is full");
  await expect(close({ graceMs: 5 })).rejects.toThrow("the disk is full");
  expect(calls).toEqual([10]);
});
