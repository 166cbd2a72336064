import { type ChildProcess, fork } from "node:child_process";
import { basename } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { excerpt, quote, SecretsError, withoutCredentials } from "@flyte-secrets/core";
import type { TaskCall } from "@flyte-secrets/sdk";
import { DetailedError } from "../failure.ts";
import { CHILD_MAIN } from "../program-files.ts";
import { type ChildRole, decodeFromChild, type FromChild, type ToChild } from "./child-protocol.ts";
import { forward, LATE_OUTPUT_MS } from "./forward-output.ts";
import type { Mask } from "./mask/mask.ts";
import type { SecretsMount } from "./secrets-mount.ts";
import { deserializeError, serializeError } from "./serialized-error.ts";

/** How long a child has between SIGTERM and SIGKILL. */
const GRACE_MS = 5_000;
/** After how long a file that is still being loaded is worth a word. */
const SLOW_LOAD_MS = 5_000;

export interface ChildOptions {
  readonly role: ChildRole;
  /** The absolute path of the user's file. */
  readonly file: string;
  /** Of the task or workflow. */
  readonly name: string;
  readonly input: unknown;
  /** The whole environment. */
  readonly env: ChildEnvironment;
  /** What the child runs in. */
  readonly mount?: SecretsMount | undefined;
  /** Output goes through it; undefined leaves output alone. */
  readonly mask: Mask | undefined;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** What to put before each line of output. */
  readonly labels?: { readonly stdout: string; readonly stderr: string } | undefined;
  /** Ends the child: SIGTERM, and SIGKILL after 5 seconds. */
  readonly signal: AbortSignal;
  /** Delay in milliseconds after which `stderr` reports that the file is still loading. Default: 5,000. */
  readonly slowLoadMs?: number;
  /** Carries out a driver's calls. */
  readonly onCall?: (call: TaskCall) => Promise<unknown>;
}

/**
 * Runs one task or workflow in a child process and gives its result once the process has ended and its output is
 * written. Throws what it threw, `task_failed` when the process ended without a result, and `canceled` after an abort.
 */
export async function runChild(options: ChildOptions): Promise<unknown> {
  if (options.signal.aborted) throw stopped(options);
  const [execPath, ...words] = [...(options.mount?.launcher(process.cwd()) ?? []), process.execPath];
  const child = fork(CHILD_MAIN, [], {
    env: { ...options.env },
    execPath,
    // SIGUSR1 would open the inspector, through which other users could read the task's memory.
    execArgv: [...words, "--disable-sigusr1"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const stop = (): void => stopChild(child);
  options.signal.addEventListener("abort", stop);
  try {
    const output = Promise.all([
      forward(child.stdout, options.stdout, { mask: options.mask, label: options.labels?.stdout }),
      forward(child.stderr, options.stderr, { mask: options.mask, label: options.labels?.stderr }),
    ]);
    const outcome = await exchangeMessages(child, options);
    await Promise.race([output, delay(LATE_OUTPUT_MS, undefined, { ref: false })]);
    return outcome();
  } finally {
    options.signal.removeEventListener("abort", stop);
  }
}

/** Talks with the child until it has ended; the function it gives returns or throws what came of it. */
async function exchangeMessages(child: ChildProcess, options: ChildOptions): Promise<() => unknown> {
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<() => unknown>();
  const { role, file, name, input, stderr, slowLoadMs = SLOW_LOAD_MS } = options;
  let outcome: (() => unknown) | undefined;
  let isLoaded = false;
  const sayLoading = () => void stderr.write(`note: still loading ${excerpt(basename(file))}; Ctrl-C stops it\n`);
  const slow = setTimeout(sayLoading, slowLoadMs);
  const loaded = () => {
    clearTimeout(slow);
    isLoaded = true;
  };
  const send = (message: ToChild): void => {
    // A child that has just ended needs no answer; `exit` reports its end.
    if (child.connected) child.send(message, () => {});
  };
  child.on("message", (raw) => {
    const message = decodeFromChild(raw);
    if (message !== undefined) loaded();
    if (message?.kind === "call") void answer(message, options, send);
    else if (message?.kind === "result") outcome = () => message.value;
    else if (message?.kind === "failed") {
      outcome = () => {
        throw deserializeError(message.error);
      };
    }
  });
  child.once("error", (error) => {
    clearTimeout(slow);
    fail(error);
  });
  child.once("exit", (code, signal) => {
    clearTimeout(slow);
    const result = () => {
      if (options.signal.aborted) throw stopped(options, isLoaded);
      if (outcome !== undefined) return outcome();
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
      // Without details: frames of this process don't help the user.
      throw new DetailedError("task_failed", endedEarly(options, { how, isLoaded }), []);
    };
    // `exit` may be emitted before the last message of the process.
    if (child.connected) child.once("disconnect", () => end(result));
    else end(result);
  });
  send({ kind: "start", role, file, name, input });
  return ended;
}

function stopped({ name, file }: ChildOptions, isLoaded = true): SecretsError {
  const what = isLoaded && name !== "" ? name : `loading ${basename(file)}`;
  return new SecretsError("canceled", `${excerpt(what)} was stopped`);
}

/** Without the task's name, which the caller puts before it. */
function endedEarly({ role, name, file }: ChildOptions, { how, isLoaded }: { how: string; isLoaded: boolean }): string {
  if (role === "task" && isLoaded) return `its process was ended ${how} before it had a result`;
  if (isLoaded && name !== "") return `the process of ${quote(name)} was ended ${how} before it had a result`;
  return (
    `${excerpt(basename(file))} can't be loaded: its process was ended ${how} meanwhile; code outside of tasks must ` +
    "not end the process or close its channel (process.exit, process.disconnect)"
  );
}

async function answer(
  message: Extract<FromChild, { kind: "call" }>,
  { onCall }: ChildOptions,
  send: (message: ToChild) => void,
): Promise<void> {
  const { call, definition, inherited, input } = message;
  try {
    const value = await onCall?.({ definition, inherited, input });
    send({ kind: "returned", call, value });
  } catch (error) {
    send({ kind: "threw", call, error: serializeError(error) });
  }
}

function stopChild(child: ChildProcess): void {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  child.once("exit", () => clearTimeout(timer));
}

/** The variables that a child is started with, all of them. */
export type ChildEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The user's own environment without credentials of ours and without the variables that the Global manager reads, which
 * a task in a cluster does not see either; then what was injected.
 */
export function childEnvironment(
  env: ChildEnvironment,
  globalPrefix = "",
  injected: ReadonlyMap<string, string>,
): ChildEnvironment {
  return { ...withoutCredentials(env, globalPrefix), ...Object.fromEntries(injected) };
}
