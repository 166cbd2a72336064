import { expect, test } from "vitest";
import { createLookupPlanner } from "./lookup-plan.ts";

const scope = { org: "flyte", domain: "development", project: "shop" };

test("a plan is made once, and plans of some thousand keys are remembered", () => {
  const planFor = createLookupPlanner({ name: "Test" });
  const first = planFor(scope, "key-0");
  for (let at = 1; at < 10_000; at++) planFor(scope, `key-${at}`);
  expect(planFor(scope, "key-0")).toBe(first);
});

test("remembered plans are counted in bytes: the longer the keys, the fewer", () => {
  const planFor = createLookupPlanner({ name: "Test" });
  const longKey = (at: number) => String(at).padStart(180, "k");
  const first = planFor(scope, longKey(0));
  for (let at = 1; at < 15_000; at++) planFor(scope, longKey(at));
  expect(planFor(scope, longKey(0))).not.toBe(first);
});

test("a key that no secret can have is refused, whatever its length, and not remembered", () => {
  const planFor = createLookupPlanner({ name: "Test" }, 100);
  for (const length of [80, 155_000, 4_800_000]) {
    expect(() => planFor(scope, "k".repeat(length))).toThrow(
      expect.objectContaining({ code: "invalid_argument", message: expect.stringMatching(/^.{1,300}$/) }),
    );
  }
});
