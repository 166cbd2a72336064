import { expect, test } from "vitest";
import { ByteBudget } from "./byte-budget.ts";

test("a cache is emptied when the next entry does not fit, and never for one that is larger than itself", () => {
  const cache: number[] = [];
  const budget = new ByteBudget(100, () => cache.splice(0));
  const put = (bytes: number) => budget.admit(bytes) && cache.push(bytes);
  for (const bytes of [60, 40]) put(bytes);
  expect(cache).toEqual([60, 40]);
  expect(put(101)).toBe(false);
  expect(cache).toEqual([60, 40]);
  put(1);
  expect(cache).toEqual([1]);
  put(99);
  expect(cache).toEqual([1, 99]);
});
