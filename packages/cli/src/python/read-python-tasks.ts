import { spawn } from "node:child_process";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { excerpt, isObject, type JsonObject, parseObject, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import { READ_PYTHON_TASKS } from "../program-files.ts";
import { describePythonFailure, type ProcessEnd, type PythonFailure } from "./describe-python-failure.ts";

/** The descriptor of the socket to the script. */
const CHANNEL = 3;

/** Programs that import large libraries take half a minute on a busy machine. */
const TIMEOUT_MS = 120_000;
/** After how long a file that is still being imported is worth a word. */
const SLOW_MS = 5_000;
/** How long the script has to give its own answer about a file that takes too long, with the place in it. */
const GRACE_MS = 2_000;
/** A thousand tasks of Flyte 2 that may all call each other take 6 MB. */
const MAX_ANSWER_BYTES = 16_777_216;
/** How long output is waited for that other processes than the script may still write. */
const LATE_OUTPUT_MS = 1_000;
/** Of what the file prints, the last: it is shown when the file fails. */
const MAX_PRINTED_BYTES = 4_096;

/** A task, workflow, launch plan or app of a Python file. */
export interface PythonTask {
  /** The variable that the file has for it; null for one that is only called by others. */
  readonly name: string | null;
  /** Its name in Flyte. */
  readonly fullName: string;
  readonly kind: "task" | "workflow" | "app";
  readonly sdk: string;
  /** What its own pod asks for, as its SDK serialises it. */
  readonly requests: readonly SecretRequest[];
  /** Which of the file's it may call: their positions in the list. */
  readonly calls: readonly number[];
}

export interface ReadPythonTasksOptions {
  /** The interpreter, with the SDK that the file imports. */
  readonly python: string;
  /** The whole environment of the import: the user's, without secrets. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** Milliseconds for the whole. Default: 120,000. */
  readonly timeoutMs?: number;
  /** Is called once when the import takes more than 5 seconds. */
  readonly onSlow?: () => void;
}

/**
 * Imports a Python file in a process of its own, without running any task, and returns what it defines, in the file's
 * order. Throws `task_failed` with the place in the user's code when the file can't be imported, ends its process or
 * takes too long, `usage` when the interpreter can't be started, and `canceled` after an abort. The process and those
 * that it has started have ended then.
 */
export async function readPythonTasks(file: string, options: ReadPythonTasksOptions): Promise<readonly PythonTask[]> {
  const { python, env, cwd, signal, timeoutMs = TIMEOUT_MS } = options;
  if (signal.aborted) throw stopped(file);
  const child = spawn(python, [READ_PYTHON_TASKS, file, String(timeoutMs / 1_000)], {
    cwd,
    env: { ...env },
    // A group of its own, so that what the file has started ends with it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const kill = (): void => killGroup(child.pid);
  const timer = setTimeout(kill, timeoutMs + GRACE_MS);
  const slow = setTimeout(() => options.onSlow?.(), SLOW_MS);
  signal.addEventListener("abort", kill);
  try {
    const printed = [child.stdout, child.stderr].map(keepEnd);
    const line = readLine(child.stdio[CHANNEL]);
    const ended = new Promise<ProcessEnd>((resolve) => {
      child.once("error", (failure) => resolve({ failure }));
      child.once("exit", (code, by) => resolve({ code, by }));
    });
    await Promise.race([line, ended]);
    // Whoever has the socket of an ended process is gone then, so that the last line ends.
    kill();
    const end = await ended;
    const late = delay(LATE_OUTPUT_MS, undefined, { ref: false });
    const answer = parseAnswer(await Promise.race([line, late]));
    if (signal.aborted) throw stopped(file);
    if (answer?.tasks !== undefined) return answer.tasks;
    await Promise.race([Promise.all(printed.map(({ ended: closed }) => closed)), late]);
    throw describePythonFailure(answer?.failure ?? { phase: "ended", ...end }, {
      file,
      python,
      cwd,
      timeoutMs,
      printed: printed.map(({ text }) => text()).join(""),
    });
  } finally {
    clearTimeout(timer);
    clearTimeout(slow);
    signal.removeEventListener("abort", kill);
  }
}

function stopped(file: string): SecretsError {
  return new SecretsError("canceled", `loading ${excerpt(basename(file))} was stopped`);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Reads a stream to its end and keeps the last of it. */
function keepEnd(stream: Readable | null) {
  let kept = Buffer.alloc(0);
  stream?.on("data", (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-MAX_PRINTED_BYTES);
  });
  return { ended: stream && finished(stream).catch(() => {}), text: () => kept.toString() };
}

/** The first line; undefined where there is none, or a longer one than the script writes. */
async function readLine(stream: unknown): Promise<string | undefined> {
  // Node has no type for further descriptors. Without a process there is no socket.
  if (!(stream instanceof Readable)) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (chunk.includes("\n")) return Buffer.concat(chunks).toString();
      if (bytes > MAX_ANSWER_BYTES) return undefined;
    }
  } catch {
    // The process has ended, which says more than the broken connection.
  }
  return undefined;
}

interface Answer {
  readonly tasks?: readonly PythonTask[];
  readonly failure?: PythonFailure;
}

/** Of the script; or of code of the file, which can write to the same descriptor. Undefined where there is none. */
function parseAnswer(line: string | undefined): Answer | undefined {
  if (line === undefined) return undefined;
  const { tasks, error } = parseObject(line) ?? {};
  if (isObject(error)) return { failure: toFailure(error) };
  if (Array.isArray(tasks) && tasks.every(isTask)) {
    const isCalled = (at: number) => Number.isInteger(at) && tasks[at] !== undefined;
    if (tasks.every(({ calls }) => calls.every(isCalled))) return { tasks };
  }
  return { failure: toFailure({ message: `code that it imports writes to file descriptor ${CHANNEL}` }) };
}

function isTask(value: unknown): value is PythonTask {
  if (!isObject(value)) return false;
  const { name, fullName, kind, requests, calls } = value;
  return (
    (name === null || typeof name === "string") &&
    typeof fullName === "string" &&
    (kind === "task" || kind === "workflow" || kind === "app") &&
    Array.isArray(requests) &&
    requests.every(isRequest) &&
    Array.isArray(calls) &&
    calls.every((at) => typeof at === "number")
  );
}

function isRequest(value: unknown): value is SecretRequest {
  if (!isObject(value)) return false;
  const { group, groupVersion, key, envVar, mountRequirement } = value;
  const isText = [group, groupVersion, key, envVar].every((text) => typeof text === "string");
  return isText && typeof mountRequirement === "number";
}

function toFailure({ phase, type, message, missing, exit, frames }: JsonObject): PythonFailure {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return {
    phase: phase === "import" || phase === "read" || phase === "timeout" ? phase : "unreadable",
    type: text(type),
    message: text(message),
    ...(typeof missing === "string" && { missing }),
    ...(typeof exit === "string" && { exit }),
    frames: (Array.isArray(frames) ? frames : []).filter(isObject).map(({ file, line, function: name, source }) => ({
      file: text(file),
      line: typeof line === "number" ? line : 0,
      name: text(name),
      source: text(source),
    })),
  };
}
