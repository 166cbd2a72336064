import assert from "node:assert/strict";
import { encodeRequestText, parseRequestText } from "@flyte-secrets/core";
import { type FuzzTarget, unlessRefused } from "../target.ts";

/** A request in protobuf text format. */
export const target: FuzzTarget = {
  seeds: [
    'group: "db"\nkey: "password"\nmount_requirement: ENV_VAR\nenv_var: "DB_PASSWORD"\n',
    "key:'a' 'b',mount_requirement:2;",
    'key: "\\303\\244\\x41\\u00e9\\U0001f600\\ud83d\\ude00\\n\\"" # comment',
    "mount_requirement: -0x1F",
    "mount_requirement: 017",
  ],
  dictionary: [
    "group",
    "group_version",
    "key",
    "mount_requirement",
    "env_var",
    ": ",
    "ANY",
    "ENV_VAR",
    "FILE",
    '"',
    "'",
    "\\",
    "\\x",
    "\\u",
    "\\U0010ffff",
    "\\ud83d\\ude00",
    "\\377",
    "#",
    "0x",
    "-",
    "2147483648",
    "\xc3\xa4",
    ";",
    "<",
    "{",
  ],
  open: () => ({
    run(bytes) {
      const request = unlessRefused(["invalid_annotation"], () => parseRequestText(bytes));
      if (!request) return;
      const text = unlessRefused(["invalid_argument"], () => encodeRequestText(request));
      if (text !== undefined) assert.deepEqual(parseRequestText(text), request);
    },
  }),
};
