import { spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createOutput } from "./output.ts";
import { CLI } from "./testing/run-cli.ts";

test("a warning is printed once, however often it is given", () => {
  const stream = new PassThrough();
  const output = createOutput(stream);
  for (const text of ["a\u001b", "b", "a\u001b"]) output.warn(text);
  expect(String(stream.read())).toBe("warning: a\\u001b\nwarning: b\n");
});

function printed(text: string): string {
  const stream = new PassThrough();
  createOutput(stream).write(text);
  return String(stream.read() ?? "");
}

test.each([
  ["a colour", "\u001b[31mred", "\\u001b[31mred"],
  ["a title with BEL", "\u001b]0;x\u0007", "\\u001b]0;x\\u0007"],
  ["C1's own CSI", "\u009b2J", "\\u009b2J"],
  ["DEL and backspace", "a\u007f\b", "a\\u007f\\u0008"],
  ["a carriage return", "hidden\rshown", "hidden\\u000dshown"],
  ["text from right to left", "\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"],
  ["what can't be seen", "a\u200b\ufeff\u{e0041}", "a\\u200b\\ufeff\\udb40\\udc41"],
  ["other line breaks", "a\u2028b\u0085c", "a\\u2028b\\u0085c"],
  ["half a pair", "a\ud800b", "a\\ud800b"],
])("shows %s as an escape", (_, text, shown) => {
  expect(printed(text)).toBe(shown);
});

test("leaves line breaks, tabs and every other character alone", () => {
  const text = "a\tb\nübung 日本 مرحبا 🎉 │ ✓\n";
  expect(printed(text)).toBe(text);
});

test("prints JSON that is the same JSON, whatever is in it", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(fc.jsonValue(), text, (value, key) => {
      const json = JSON.stringify({ [key]: value }, null, 2);
      expect(printed(json)).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u);
      expect(JSON.parse(printed(json))).toEqual(JSON.parse(json));
    }),
  );
});

test("sends bytes through the stream itself", () => {
  const stream = new PassThrough();
  createOutput(stream).raw.write("\u001b[0m");
  expect(String(stream.read())).toBe("\u001b[0m");
});

test("says that there is no space left for what it prints", () => {
  const stdio = ["ignore", openSync("/dev/full", "w"), "pipe"] as const;
  const { status, stderr } = spawnSync(process.execPath, [CLI, "--help"], { stdio: [...stdio], encoding: "utf8" });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: "error: standard output can't be written: no space is left there\n",
  });
});
