import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, it } from "vitest";
import { readLogTail, rotatingLog } from "./rotating-log.ts";

it("keeps a log and the one before it, both bounded and for this user alone, and goes on where the log ends", () => {
  const directory = createTemporaryDirectory();
  const file = join(directory, "a.log");
  {
    using log = rotatingLog(file, 20);
    log.write("first line\n");
  }
  using log = rotatingLog(file, 20);
  log.write("é line\n");
  expect(readFileSync(file, "utf8")).toBe("first line\né line\n");
  log.write("third\n");
  expect([readFileSync(`${file}.1`, "utf8"), readFileSync(file, "utf8")]).toEqual(["first line\né line\n", "third\n"]);
  log.write("a line that is longer than all of it\n");
  log.write("last\n");
  expect([readFileSync(`${file}.1`, "utf8"), readFileSync(file, "utf8")]).toEqual([
    "a line that is longer than all of it\n",
    "last\n",
  ]);
  expect(readdirSync(directory).sort()).toEqual(["a.log", "a.log.1"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("loses a line that cannot be written, and no more", () => {
  using log = rotatingLog("/dev/full", 20);
  log.write("nowhere\n");
});

it("gives what was added, the end of it", () => {
  const file = join(createTemporaryDirectory(), "a.log");
  writeFileSync(file, `before${"x".repeat(9_000)}end`);
  expect(readLogTail(file, 9_006)).toBe("end");
  expect(readLogTail(file, 6)).toHaveLength(8_192);
  expect(readLogTail(file, 10_000)).toBe("");
});
