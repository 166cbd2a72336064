import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { beforeEach, expect, test } from "vitest";
import { createOutput } from "../output.ts";
import { readInput } from "./read-input.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "read-input-"));
  return () => rmSync(directory, { recursive: true });
});

function openContext({ isTTY }: { readonly isTTY: boolean }) {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  stdin.end("typed");
  const stderr = new PassThrough();
  const output = createOutput(stderr);
  const cli = { env: {}, stdin, stdout: output, stderr: output, home: directory, cwd: directory, nodeVersion: "" };
  const interruption = () => new AbortController().signal;
  const relaySignals = () => () => {};
  return { cli: { ...cli, interruption, relaySignals }, told: () => String(stderr.read() ?? "") };
}

const option = "--from-file";

test("says at a terminal that it reads standard input, and how that ends", async () => {
  const { cli, told } = openContext({ isTTY: true });
  expect(String(await readInput("-", { option, cli }))).toBe("typed");
  expect(told()).toBe("note: reading standard input, which Ctrl-D ends\n");
});

test("says that it reads a named pipe, which somebody else has to write into", async () => {
  const { cli, told } = openContext({ isTTY: false });
  const pipe = join(directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  const reading = readInput("pipe", { option, cli });
  await expect.poll(told).toBe("note: reading --from-file pipe, which is a named pipe\n");
  // It waits for the reader, too.
  await writeFile(pipe, "written");
  expect(String(await reading)).toBe("written");
});

test("says nothing of a file, or of a pipe into standard input", async () => {
  const { cli, told } = openContext({ isTTY: false });
  writeFileSync(join(directory, "file"), "kept");
  expect(String(await readInput("file", { option, cli }))).toBe("kept");
  expect(String(await readInput("-", { option, cli }))).toBe("typed");
  expect(told()).toBe("");
});
