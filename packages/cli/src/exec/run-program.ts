import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { excerpt, systemReason } from "@flyte-secrets/core";
import type { RelayedSignal } from "../context.ts";
import { forward, LATE_OUTPUT_MS } from "../run/forward-output.ts";
import type { Mask } from "../run/mask/mask.ts";
import type { ChildEnvironment } from "../run/run-child.ts";
import { findProgramFault, NOT_EXECUTABLE, type ProgramFault } from "./find-program.ts";

export interface ProgramOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** The whole environment. */
  readonly env: ChildEnvironment;
  readonly cwd: string;
  /** Output goes through it; undefined gives the program this process's own streams and process group. */
  readonly mask: Mask | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Whether a terminal sends the signals of its keys to this process's group. */
  readonly onTerminal: boolean;
  /** Hands the signals that this process gets to a function, until the returned one is called. */
  relaySignals(to: (signal: RelayedSignal) => void): () => void;
  /** Called with what has to end when this process is killed: see `Guardian.protect`. */
  onStart(target: number): void;
}

const TOO_LARGE = { E2BIG: "its arguments and environment are larger than the system allows" };

/**
 * Runs a program to its end, on this process's standard input, and gives its exit code: 128 + n after signal n. Gives
 * what is wrong where it cannot be started. Signals are relayed.
 */
export async function runProgram(options: ProgramOptions): Promise<number | ProgramFault> {
  const { command, env, cwd, mask, stdout, stderr } = options;
  const [file = "", ...args] = command;
  const fault = findProgramFault(file, { path: env.PATH, cwd });
  if (fault !== undefined) return fault;
  let target: number | undefined;
  const stopRelaying = options.relaySignals((signal) => relay(signal, target, options));
  try {
    const child = spawn(file, args, {
      cwd,
      env: { ...env },
      // In a session of its own it gets the signals of the terminal from here alone, and all of it can be ended.
      detached: mask !== undefined,
      stdio: mask === undefined ? "inherit" : ["inherit", "pipe", "pipe"],
    });
    if (child.pid !== undefined) {
      target = mask === undefined ? child.pid : -child.pid;
      options.onStart(target);
    }
    const output = Promise.all([forward(child.stdout, stdout, { mask }), forward(child.stderr, stderr, { mask })]);
    const exit = await exitOf(child);
    await Promise.race([output, delay(LATE_OUTPUT_MS, undefined, { ref: false })]);
    // What it left running may hold them open.
    child.stdout?.destroy();
    child.stderr?.destroy();
    return exit;
  } catch (error) {
    return { exit: NOT_EXECUTABLE, problem: `${excerpt(file)} can't be executed: ${systemReason(error, TOO_LARGE)}` };
  } finally {
    stopRelaying();
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => resolve(signal === null ? (code ?? 0) : 128 + constants.signals[signal]));
    child.once("error", reject);
  });
}

/** Signals that the keys of a terminal send to the whole process group. */
const KEYS: readonly RelayedSignal[] = ["SIGINT", "SIGQUIT", "SIGTSTP", "SIGCONT"];

function relay(signal: RelayedSignal, target: number | undefined, { mask, onTerminal }: ProgramOptions): void {
  const hasIt = mask === undefined && onTerminal && KEYS.includes(signal);
  // SIGTSTP does nothing to a session without a terminal.
  if (target !== undefined && !hasIt) send(signal === "SIGTSTP" ? "SIGSTOP" : signal, target);
  if (signal === "SIGTSTP") process.kill(process.pid, "SIGSTOP");
}

function send(signal: NodeJS.Signals, target: number): void {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended, or has become another user's.
  }
}
