import { expect, test } from "vitest";
import { createNamespaceLimiter } from "./namespace-limiter.ts";

test("of one namespace so many run at a time, the others in their order, and another namespace waits for none of them", async () => {
  const limitInNamespace = createNamespaceLimiter(2);
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const run = (namespace: string, name: string) =>
    limitInNamespace(namespace, () => {
      started.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  const busy = ["a1", "a2", "a3", "a4"].map((name) => run("a", name));
  const other = run("b", "b1");
  expect(started).toEqual(["a1", "a2", "b1"]);
  ends[2]?.();
  await other;
  expect(started).toEqual(["a1", "a2", "b1"]);
  ends[1]?.();
  await busy[1];
  expect(started).toEqual(["a1", "a2", "b1", "a3"]);
  ends[0]?.();
  ends[3]?.();
  await Promise.all([busy[0], busy[2]]);
  expect(started).toEqual(["a1", "a2", "b1", "a3", "a4"]);
  ends[4]?.();
  await busy[3];
});

test("work that fails gives its turn to the next, and its error to who asked for it", async () => {
  const limitInNamespace = createNamespaceLimiter(1);
  const failing = limitInNamespace("a", () => Promise.reject(new Error("no")));
  const next = limitInNamespace("a", async () => "done");
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe("done");
});
