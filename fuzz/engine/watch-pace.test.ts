import { expect, test } from "vitest";
import { createPace } from "./watch-pace.ts";

test("an input is slow when every run of it took 100 times the median time per byte", () => {
  const pace = createPace();
  for (let run = 0; run < 256; run++) expect(pace.isSlow(0, 0.256)).toBe(false);
  expect([pace.isSlow(244, 60), pace.isSlow(1244, 60), pace.isSlow(0, 49)]).toEqual([true, false, false]);
  const input = new Uint8Array(244);
  expect(pace.judge(input, [60, 3, 70])).toBe(undefined);
  expect(pace.judge(input, [90, 60, 70])).toEqual({
    kind: "slow",
    input,
    report: "60.0 ms for 244 bytes: 120 times the median time per byte",
    cause: "slow",
  });
});

test("nothing is slow before there is a median", () => {
  expect(createPace().isSlow(0, 10_000)).toBe(false);
});
