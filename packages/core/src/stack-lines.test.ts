import { describe, expect, it } from "vitest";
import { stackLines } from "./stack-lines.ts";

const FAKE = "    at fake (/etc/hostname:1:1)";
const REAL = "\n    at real (/home/me/a.ts:1:2)\n    at /home/me/b.ts:3:4";

describe("the frames of a stack", () => {
  it.each([
    ["a message of one line", "Error", "oops", "Error: oops"],
    ["a message that looks like a frame", "Error", `said:\n${FAKE}`, `Error: said:\n${FAKE}`],
    ["a message that is a frame alone", "", FAKE, FAKE],
    ["a message with a code before it", "TypeError", `x\n${FAKE}`, `TypeError [CODE]: x\n${FAKE}`],
    ["no message", "Error", "", "Error"],
    ["a name that looks like a frame", `E\n${FAKE}`, "oops", `E\n${FAKE}: oops`],
    ["a name with a frame in its middle", `E\n${FAKE}\n`, "", `E\n${FAKE}\n`],
    ["a name that was given later", "Later", `x\n${FAKE}`, `Error: x\n${FAKE}`],
    ["a message that was extended later", "Error", `in a.ts: x\n${FAKE}`, `Error: x\n${FAKE}`],
    ["a message below lines of code", "SyntaxError", `x\n${FAKE}`, `/a.cjs:1\nx y\n  ^\n\nSyntaxError: x\n${FAKE}`],
    ["a message with a stack of the same frames", "Error", `x${REAL}`, `Error: x${REAL}`],
  ])("are those below %s", (_, name, message, head) => {
    expect(stackLines({ name, message, stack: head + REAL })).toEqual([
      "at real (/home/me/a.ts:1:2)",
      "at /home/me/b.ts:3:4",
    ]);
  });

  it("are none where there is no stack", () => {
    expect(stackLines({ name: "Error", message: FAKE })).toEqual([]);
  });
});
