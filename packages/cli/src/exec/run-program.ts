import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { excerpt, systemReason } from "@flyte-secrets/core";
import type { CliContext, RelayedSignal } from "../context.ts";
import { LATE_OUTPUT_MS } from "../run/forward-output.ts";
import type { Mask } from "../run/mask/mask.ts";
import type { ChildEnvironment } from "../run/run-child.ts";
import { type Attachment, attachByPipes, attachByTerminal, attachDirectly } from "./attach-program.ts";
import { findProgramFault, NOT_EXECUTABLE, type ProgramFault } from "./find-program.ts";

export interface ProgramOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** The whole environment. */
  readonly env: ChildEnvironment;
  /** What becomes the program, before its own words. */
  readonly launcher?: readonly string[];
  /** Output goes through it; undefined gives the program this process's own streams and process group. */
  readonly mask: Mask | undefined;
  readonly cli: Pick<CliContext, "cwd" | "stdin" | "stdout" | "stderr" | "relaySignals">;
  /** Called with what has to end when this process is killed: see `Guardian.protect`. */
  onStart(target: number): void;
}

const TOO_LARGE = { E2BIG: "its arguments and environment are larger than the system allows" };

/**
 * Runs a program to its end, on this process's standard input, and gives its exit code: 128 + n after signal n. Gives
 * what is wrong where it cannot be started. Signals are relayed.
 */
export async function runProgram(options: ProgramOptions): Promise<number | ProgramFault> {
  const { command, env, launcher = [], mask, cli } = options;
  const [file = ""] = command;
  const fault = findProgramFault(file, { path: env.PATH, cwd: cli.cwd });
  if (fault !== undefined) return fault;
  const attachment = mask === undefined ? attachDirectly() : attach(mask, options);
  const { stdio, ownSession } = attachment;
  const words = [...attachment.launcher, ...launcher, ...command];
  let target: number | undefined;
  const stopRelaying = cli.relaySignals((signal) => relay(signal, { target, attachment, cli }));
  try {
    const [first = "", ...rest] = words;
    const detached = ownSession && attachment.launcher.length === 0;
    const child = spawn(first, rest, { cwd: cli.cwd, env: { ...env }, detached, stdio });
    if (child.pid !== undefined) {
      target = ownSession ? -child.pid : child.pid;
      options.onStart(target);
    }
    const output = attachment.connect(child);
    const exit = await exitOf(child);
    await Promise.race([output, delay(LATE_OUTPUT_MS, undefined, { ref: false })]);
    return exit;
  } catch (error) {
    return { exit: NOT_EXECUTABLE, problem: `${excerpt(file)} can't be executed: ${systemReason(error, TOO_LARGE)}` };
  } finally {
    attachment.close();
    stopRelaying();
  }
}

function attach(mask: Mask, { env, cli }: ProgramOptions): Attachment {
  const canLaunch = findProgramFault("setsid", { path: env.PATH, cwd: cli.cwd }) === undefined;
  return (canLaunch ? attachByTerminal(cli, mask) : undefined) ?? attachByPipes(cli, mask);
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => resolve(signal === null ? (code ?? 0) : 128 + constants.signals[signal]));
    child.once("error", reject);
  });
}

/** Signals that the keys of a terminal send to the whole process group. */
const KEYS: readonly RelayedSignal[] = ["SIGINT", "SIGQUIT", "SIGTSTP", "SIGCONT"];

interface Relaying extends Pick<ProgramOptions, "cli"> {
  /** Undefined before the program is started. */
  readonly target: number | undefined;
  readonly attachment: Attachment;
}

function relay(signal: RelayedSignal, { target, attachment, cli }: Relaying): void {
  const isOnTerminal = cli.stdin.isTTY === true || cli.stdout.isTTY || cli.stderr.isTTY;
  const hasItself = !attachment.ownSession && isOnTerminal && KEYS.includes(signal);
  // A session without job control ignores SIGTSTP.
  if (target !== undefined && !hasItself) send(signal === "SIGTSTP" ? "SIGSTOP" : signal, target);
  if (signal === "SIGCONT") attachment.resume();
  if (signal !== "SIGTSTP") return;
  attachment.suspend();
  process.kill(process.pid, "SIGSTOP");
}

function send(signal: NodeJS.Signals, target: number): void {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended, or has become another user's.
  }
}
