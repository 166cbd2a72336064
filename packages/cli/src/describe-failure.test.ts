import { describe, expect, it } from "vitest";
import { describeInternalError } from "./describe-failure.ts";

describe("a fault of ours", () => {
  it("is told by its kind and place, without a line of its message", () => {
    const line = describeInternalError(new TypeError("can't parse:\n    at s3cret"));
    expect(line).toMatch(/^internal fault, please report it: TypeError at .*describe-failure\.test\.ts:\d+:\d+\)?$/);
  });
});
