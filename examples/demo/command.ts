import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { spawn as spawnOnTerminal } from "@lydell/node-pty";

const ROOT = join(import.meta.dirname, "../..");
const CLI = join(ROOT, "packages/cli/bin/flyte-secrets.js");

/** What a command printed, and how it ended. On a terminal all of it is in `stdout`. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts command lines as a user would type them in this checkout, each as a process of its own. They begin with
 * `flyte-secrets` and have words without spaces; `~` is the home.
 */
export interface Commands {
  /** To its end, with `input` piped into it. */
  run(line: string, input?: string): Promise<Outcome>;
  /** On a pseudo-terminal: types `answer` when the command asks. */
  type(line: string, answer: string): Promise<Outcome>;
  /** Starts one that goes on; the first line that it prints is there when this returns. */
  start(line: string): Promise<{ readonly child: ChildProcess; readonly firstLine: string }>;
  /** Everything that any command has printed so far. */
  printed(): string;
}

export function createCommands(env: Readonly<Record<string, string>>): Commands {
  const prints: string[] = [];
  const argumentsOf = (line: string): string[] => {
    const words = line.split(" ").slice(1);
    return [CLI, ...words.map((word) => word.replace(/^~(?=\/)/, env.HOME ?? ""))];
  };
  return {
    async run(line, input = "") {
      const child = spawn(process.execPath, argumentsOf(line), { env, cwd: ROOT });
      child.stdin.end(input);
      const ended = once(child, "close");
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      const [exitCode] = await ended;
      prints.push(stdout, stderr);
      return { exitCode, stdout, stderr };
    },

    async type(line, answer) {
      const terminal = spawnOnTerminal(process.execPath, argumentsOf(line), { env: { ...env }, cwd: ROOT, cols: 100 });
      let screen = "";
      let answered = false;
      terminal.onData((shown) => {
        screen += shown;
        if (answered || !screen.includes("?")) return;
        answered = true;
        terminal.write(`${answer}\r`);
      });
      const exitCode = await new Promise<number>((resolve) => terminal.onExit((exit) => resolve(exit.exitCode)));
      prints.push(screen);
      return { exitCode, stdout: screen, stderr: "" };
    },

    async start(line) {
      const child = spawn(process.execPath, argumentsOf(line), {
        env,
        cwd: ROOT,
        stdio: ["ignore", "pipe", "inherit"],
      });
      child.stdout.on("data", (shown) => prints.push(String(shown)));
      const [first] = await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
      return { child, firstLine: String(first).split("\n")[0] ?? "" };
    },

    printed: () => prints.join("\n"),
  };
}
