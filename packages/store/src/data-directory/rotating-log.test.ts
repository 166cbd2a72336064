import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, it } from "vitest";
import { rotatingLog } from "./log-file.ts";

const ENTRY = '{"level":"info","time":"';

it("keeps a log and the one before it, both bounded and for this user alone, and goes on where the log ends", () => {
  const directory = createTemporaryDirectory();
  const file = join(directory, "a.log");
  {
    using log = rotatingLog(file, { directory: join(directory, "data"), maxBytes: 46 });
    log.write(`${ENTRY}first line\n`);
  }
  using log = rotatingLog(file, { directory: join(directory, "data"), maxBytes: 46 });
  log.write("é line\n");
  expect(readFileSync(file, "utf8")).toBe(`${ENTRY}first line\né line\n`);
  log.write("third\n");
  expect([readFileSync(`${file}.1`, "utf8"), readFileSync(file, "utf8")]).toEqual([
    `${ENTRY}first line\né line\n`,
    "third\n",
  ]);
  log.write("a line that is longer than all of it, which is 46 bytes\n");
  log.write("last\n");
  expect([readFileSync(`${file}.1`, "utf8"), readFileSync(file, "utf8")]).toEqual([
    "a line that is longer than all of it, which is 46 bytes\n",
    "last\n",
  ]);
  expect(readdirSync(directory).sort()).toEqual(["a.log", "a.log.1"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("loses a line that cannot be written, and no more", () => {
  const directory = createTemporaryDirectory();
  const file = join(directory, "a.log");
  using log = rotatingLog(file, { directory: join(directory, "data"), maxBytes: 5 });
  log.write("one\n");
  mkdirSync(`${file}.1`);
  log.write("lost\n");
  rmdirSync(`${file}.1`);
  log.write("two\n");
  expect([readFileSync(`${file}.1`, "utf8"), readFileSync(file, "utf8")]).toEqual(["one\n", "two\n"]);
});

it("goes on in a new file when somebody has taken a full one away", () => {
  const directory = createTemporaryDirectory();
  const file = join(directory, "a.log");
  using log = rotatingLog(file, { directory: join(directory, "data"), maxBytes: 5 });
  log.write("one\n");
  rmSync(file);
  log.write("two\n");
  expect(readFileSync(file, "utf8")).toBe("two\n");
});
