import { PassThrough, type Readable } from "node:stream";
import { expect, test } from "vitest";
import type { CliContext } from "../context.ts";
import { createOutput } from "../output.ts";
import { readTypedLine } from "./prompt.ts";

/** The first line, as the library for prompts gives it. */
async function firstLine(input: Readable): Promise<string> {
  let text = "";
  for await (const chunk of input) {
    text += String(chunk);
    const [, line] = /^[\r\n]*([^\r\n]+)[\r\n]/.exec(text) ?? [];
    if (line !== undefined) return line;
  }
  return text;
}

/** Gives the pieces one after the other: the first ones before the line is taken, one more at each quiet moment. */
async function typing(first: readonly string[], later: readonly string[]): Promise<string> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const silent = createOutput(new PassThrough());
  const cli: CliContext = {
    env: {},
    stdin,
    stdout: silent,
    stderr: silent,
    home: "/",
    cwd: "/",
    nodeVersion: "24.0.0",
    interruption: () => new AbortController().signal,
    relaySignals: () => () => {},
  };
  const pieces = [...later];
  const quiet = async () => {
    const piece = pieces.shift();
    if (piece === undefined) return;
    stdin.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const line = readTypedLine(cli, { ask: firstLine, quiet });
  for (const piece of first) stdin.write(piece);
  try {
    return await line;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const REFUSED = "the value has several lines and the prompt takes one; use --from-file. Nothing was written";

test.each([
  [["one\r"], []],
  [["o", "ne", "\r\n"], []],
  [["one\r"], ["\n"]],
  [["one\n\n"], ["\n"]],
  [["\r", "one\r"], []],
])("%j and then %j is one line", async (first, later) => {
  expect(await typing(first, later)).toBe("one");
});

test.each([
  [["one\rtwo"], []],
  [["one\r"], ["two\r"]],
  [
    ["one", "\r"],
    ["\n", "two"],
  ],
  [["\u001b[200~one\r"], ["", "", "two\r\u001b[201~"]],
  [["\u001b[200~one\r"], ["two", "\u0003"]],
  [["\none\r"], []],
])("%j and then %j are several", async (first, later) => {
  expect(await typing(first, later)).toBe(REFUSED);
});
