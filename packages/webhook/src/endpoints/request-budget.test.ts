import { expect, test } from "vitest";
import { createRequestBudget } from "./request-budget.ts";

const KIB = 1024;

/** A budget at a time of our choosing, with the names of those who gave way. */
function start(maxBytes: number) {
  let time = 0;
  const gone: string[] = [];
  const budget = createRequestBudget(maxBytes, () => time);
  const hold = (name: string) => budget.hold({ started: time, giveWay: () => void gone.push(name) });
  const at = (ms: number) => {
    time = ms;
  };
  return { hold, gone, at };
}

test("nobody gives way while there is room", () => {
  const { hold, gone } = start(100 * KIB);
  for (const name of ["a", "b", "c"]) hold(name).resize(20 * KIB);
  expect(gone).toEqual([]);
});

test("who has taken most for longest gives way, until there is room", () => {
  const { hold, gone, at } = start(100 * KIB);
  const slow = hold("slow");
  slow.resize(20 * KIB);
  at(10);
  hold("large").resize(40 * KIB);
  at(1000);
  const quick = hold("quick");
  quick.resize(20 * KIB);
  expect(gone).toEqual(["large"]);
  quick.resize(50 * KIB);
  quick.resize(80 * KIB);
  expect(gone).toEqual(["large", "slow"]);
});

test("a body that is too large for all of it gives way itself, and counts no more", () => {
  const { hold, gone } = start(100 * KIB);
  const [large, small] = [hold("large"), hold("small")];
  large.resize(200 * KIB);
  large.resize(300 * KIB);
  large.release();
  small.resize(80 * KIB);
  expect(gone).toEqual(["large"]);
});

test("requests without a body are bounded too", () => {
  const { hold, gone, at } = start(80 * KIB);
  for (let count = 0; count < 12; count++) {
    at(count);
    hold(`${count}`);
  }
  expect(gone).toEqual(["0", "1"]);
});

test("what is over makes room", () => {
  const { hold, gone } = start(100 * KIB);
  for (let count = 0; count < 100; count++) {
    const request = hold(`${count}`);
    request.resize(50 * KIB);
    request.release();
    request.release();
  }
  expect(gone).toEqual([]);
});
