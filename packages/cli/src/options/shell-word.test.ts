import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { shellOperands, shellWord } from "./shell-word.ts";

describe("a word of a shell", () => {
  it.each([
    "plain-1.ts",
    "two words",
    "it's",
    '$HOME `x` \\"',
    "a\nb",
    "it's\t\\n",
    "\u001b[31mred",
    "\u202e\u009b1",
    "\u{e0001}7",
    "é\n",
    "",
  ])("is read as it was, on one line that moves no cursor: %j", (text) => {
    const word = shellWord(text);
    expect(word).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(execFileSync("bash", ["-c", `printf %s ${word}`], { encoding: "utf8" })).toBe(text);
  });

  it("stands behind -- where it looks like an option", () => {
    expect(shellOperands("a.ts", "b")).toBe("a.ts b");
    expect(shellOperands("a.ts", "-rf --no-mask")).toBe("a.ts -- '-rf --no-mask'");
    expect(shellOperands("-a.ts", "-b")).toBe("-- -a.ts -b");
  });
});
