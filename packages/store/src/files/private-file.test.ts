import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, test } from "vitest";
import { readPrivateFile, writePrivateFile } from "./private-files.ts";

test("a new file is this user's alone, and nothing else is left in the directory", () => {
  const directory = createTemporaryDirectory();
  const path = join(directory, "file");
  expect(writePrivateFile(path, "text", { replace: false })).toBe(true);
  expect([statSync(path).mode & 0o777, readPrivateFile(path), readdirSync(directory)]).toEqual([
    0o600,
    "text",
    ["file"],
  ]);
});

test("a file that is there is replaced whole, or left as it is", () => {
  const directory = createTemporaryDirectory();
  const path = join(directory, "file");
  writePrivateFile(path, "first and longer", { replace: true });
  expect(writePrivateFile(path, "second", { replace: false })).toBe(false);
  expect(readFileSync(path, "utf8")).toBe("first and longer");
  expect(writePrivateFile(path, "third", { replace: true })).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("third");
  expect(readdirSync(directory)).toEqual(["file"]);
});

test("a missing file is undefined, and anything that is not a regular file has no text", () => {
  const directory = createTemporaryDirectory();
  expect(readPrivateFile(join(directory, "none"))).toBeUndefined();
  mkdirSync(join(directory, "inner"), { mode: 0o700 });
  expect(readPrivateFile(join(directory, "inner"))).toBe("");
});
