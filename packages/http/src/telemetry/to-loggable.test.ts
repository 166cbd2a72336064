import { describe, expect, it } from "vitest";
import { toLoggable } from "./to-loggable.ts";

describe("an error in a log", () => {
  it("has no line of a message that is withheld among its frames", () => {
    const logged = toLoggable(new SyntaxError("unexpected:\n    at s3cret"));
    expect(logged).toMatchObject({ stack: expect.arrayContaining([expect.stringContaining("to-loggable.test.ts")]) });
    expect(JSON.stringify(logged)).not.toContain("s3cret");
  });
});
