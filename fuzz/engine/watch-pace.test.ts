import { expect, test } from "vitest";
import { createPace } from "./watch-pace.ts";

test("an input is slow when every run of it took 100 times the median time per byte", () => {
  const pace = createPace();
  for (let run = 0; run < 256; run++) expect(pace.isSlow(0, 0.256)).toBe(false);
  expect([pace.isSlow(244, 240), pace.isSlow(4744, 240), pace.isSlow(0, 199)]).toEqual([true, false, false]);
  const input = new Uint8Array(244);
  expect(pace.judge(input, [240, 3, 280])).toBe(undefined);
  expect(pace.judge(input, [360, 240, 280])).toEqual({
    kind: "slow",
    input,
    report: "240.0 ms for 244 bytes: 480 times the median time per byte",
    cause: "slow",
  });
});

test("nothing is slow before there is a median", () => {
  expect(createPace().isSlow(0, 10_000)).toBe(false);
});
