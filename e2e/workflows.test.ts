import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type GoProgram, goProgram, requireGoProgram } from "./support/go-program.ts";
import { describeWith } from "./support/requirement.ts";
import { runProgram } from "./support/run-program.ts";

const ACTIONLINT: GoProgram = {
  name: "actionlint",
  path: "github.com/rhysd/actionlint/cmd/actionlint",
  version: "v1.7.12",
};
const root = join(import.meta.dirname, "..");
const files = globSync(".github/workflows/*.yaml", { cwd: root });

describeWith(requireGoProgram(ACTIONLINT), "the workflows", () => {
  test("have nothing that actionlint finds fault with", async () => {
    expect(files).not.toEqual([]);
    expect(await runProgram(goProgram(ACTIONLINT), files, { cwd: root })).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
  });

  test("pin every action by the commit, with its version beside it, and begin with the right to read alone", () => {
    for (const file of files) {
      const text = readFileSync(join(root, file), "utf8");
      for (const [use] of text.matchAll(/uses: .*/g)) expect(use, file).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      expect(text, file).toMatch(/^permissions:\n {2}contents: read\n/m);
    }
  });
});
