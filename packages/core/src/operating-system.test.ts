import { expect, test } from "vitest";
import { otherWriter } from "./operating-system.ts";

const USER = 1000;

test.each([
  ["the user's own", { uid: USER, gid: 100, mode: 0o100644 }, undefined],
  ["root's", { uid: 0, gid: 0, mode: 0o100644 }, undefined],
  ["open to the user's own group", { uid: USER, gid: USER, mode: 0o100664 }, undefined],
  ["open to another group", { uid: USER, gid: 100, mode: 0o100664 }, "other users may write it (mode 0664)"],
  ["root's and open to its group", { uid: 0, gid: 0, mode: 0o100664 }, "other users may write it (mode 0664)"],
  ["open to everybody", { uid: USER, gid: USER, mode: 0o100646 }, "other users may write it (mode 0646)"],
  ["another user's", { uid: 1001, gid: USER, mode: 0o100600 }, "it belongs to user 1001"],
])("a file that is %s", (_, file, writer) => {
  expect(otherWriter(file, USER)).toBe(writer);
  expect(otherWriter(file, undefined)).toBeUndefined();
});
