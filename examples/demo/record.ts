// Runs the demo on a terminal of its own and writes what it prints, with its times, to docs/demo.cast (asciicast v2).
// `npm run docs` draws docs/demo.svg from it.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";

const WIDTH = 84;
const HEIGHT = 30;

const root = join(import.meta.dirname, "../..");
const lines = [JSON.stringify({ version: 2, width: WIDTH, height: HEIGHT, title: "npm run demo" })];
const started = performance.now();
const terminal = spawn(process.execPath, [join(root, "examples/demo/main.ts")], {
  cols: WIDTH,
  rows: HEIGHT,
  cwd: root,
  env: { ...process.env, TERM: "xterm-256color" },
});
terminal.onData((text) => {
  process.stdout.write(text);
  lines.push(JSON.stringify([Number(((performance.now() - started) / 1_000).toFixed(2)), "o", text]));
});
terminal.onExit(async ({ exitCode }) => {
  if (exitCode === 0) await writeFile(join(root, "docs/demo.cast"), `${lines.join("\n")}\n`);
  process.exitCode = exitCode;
});
