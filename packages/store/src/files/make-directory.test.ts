import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, it } from "vitest";
import { makeDirectory } from "./private-files.ts";

it("creates a private directory with its parents, and returns whether it was missing", () => {
  const home = createTemporaryDirectory();
  const path = join(home, "a", "b");
  expect(makeDirectory(path)).toBe(true);
  expect([path, join(home, "a")].map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o700]);
  expect(makeDirectory(path)).toBe(false);
});

it.each(["/proc/flyte-secrets/store", "/proc/flyte-secrets"])("gives up at once on %s, which can't be made", (path) => {
  expect(() => makeDirectory(path)).toThrow(expect.objectContaining({ code: "ENOENT" }));
});

it("throws where a file is in the way", () => {
  const file = join(createTemporaryDirectory(), "file");
  writeFileSync(file, "");
  expect(() => makeDirectory(join(file, "below"))).toThrow(expect.objectContaining({ code: "ENOTDIR" }));
});
