import { expect, test } from "vitest";
import { cleanJoinPath } from "./clean-join-path.ts";

// What Go 1.26's path.Join answers.
test.each([
  [["/etc/flyte/secrets", "https://v/s/n/"], "/etc/flyte/secrets/https:/v/s/n"],
  [["/etc/flyte/secrets", "../x"], "/etc/flyte/x"],
  [["/etc/flyte/secrets", "../../../../x"], "/x"],
  [["/etc/flyte/secrets", ""], "/etc/flyte/secrets"],
  [["/etc/flyte/secrets", "", "k"], "/etc/flyte/secrets/k"],
  [["", ""], ""],
  [[], ""],
  [["a", ".."], "."],
  [["a/", "../"], "."],
  [["a", "../.."], ".."],
  [["/"], "/"],
  [["/", ".."], "/"],
  [["//a//b//"], "/a/b"],
  [["./a/./b/."], "a/b"],
  [[" "], " "],
])("%j joined is %j", (parts, path) => {
  expect(cleanJoinPath(...parts)).toBe(path);
});
