import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { escapeControls, isSecretsError, SecretsError } from "@flyte-secrets/core";
import type { TaskCall } from "@flyte-secrets/sdk";
import { limitConcurrency } from "../concurrency.ts";
import { describeInternalError } from "../describe-failure.ts";
import { describeRunFailure } from "./describe-run-failure.ts";
import { giveSecrets } from "./give-secrets.ts";
import type { InjectionSettings } from "./inject-task.ts";
import { lineLabel } from "./label-lines.ts";
import { createMask, type Mask } from "./mask/mask.ts";
import { createPrivateDirectory, privateDirectoryRoot } from "./private-directory.ts";
import { type ChildEnvironment, type ChildOptions, childEnvironment, runChild } from "./run-child.ts";
import { deserializeError, serializeError } from "./serialized-error.ts";

/** Processes of tasks at the same time: a workflow may call hundreds at once, and each takes some 60 MB. */
const MAX_TASKS = 16;

export interface LocalRun {
  /** The absolute path of the user's file. */
  readonly file: string;
  /** Of the task or workflow. */
  readonly name: string;
  readonly input: unknown;
  readonly mask: boolean;
  /** Have tasks see their files at `/etc/flyte/secrets`, where Linux allows it. */
  readonly mount: boolean;
  /** Files in it are named by their path from here. */
  readonly cwd: string;
  /** Print on `stderr` what each task is given and from which scope, and the full text of a failure. */
  readonly verbose: boolean;
  readonly env: ChildEnvironment;
  readonly injection: InjectionSettings;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Which of the two take colours. */
  readonly colors: { readonly stdout: boolean; readonly stderr: boolean };
  readonly signal: AbortSignal;
}

/**
 * Runs a task, or a workflow with each of its tasks in a process of its own, and returns the result as JSON, masked
 * like the output; undefined when there is none. A workflow's own code gets no secrets. All files are deleted when it
 * returns or throws. Throws what the mutator throws, `not_found` for a name that the file lacks, and `task_failed`,
 * with its location, for a failure of the user's code (T-14).
 */
export async function runLocal(run: LocalRun): Promise<string | undefined> {
  const { file, name, input, stdout, stderr } = run;
  const mask = run.mask ? createMask() : undefined;
  const warn = createWarner(stderr);
  const directory = await createPrivateDirectory(await privateDirectoryRoot());
  if (!directory.inMemory) {
    warn(`files of secrets lie on disk while a task runs, in ${directory.path}: no /dev/shm here`);
  }
  const driverEnded = new AbortController();
  const child = { file, mask, stdout, stderr, signal: AbortSignal.any([run.signal, driverEnded.signal]) };
  const limit = limitConcurrency(MAX_TASKS);
  const tasks: Promise<unknown>[] = [];
  const label = createLabels(run.colors);
  try {
    const result = await runChild({
      ...child,
      role: "driver",
      name,
      input,
      env: childEnvironment(run.env, run.injection.global.envPrefix, new Map()),
      onCall(call) {
        const labels = call.definition.name === name ? undefined : label(call.definition.name);
        const dependencies = { ...child, labels, warn, directory: join(directory.path, String(tasks.length)) };
        const task = limit(() => runTask(call, run, dependencies));
        tasks.push(task);
        return task;
      },
    });
    return toJson(result, mask);
  } catch (error) {
    throw await describeRunFailure(serializeError(error), {
      ...run,
      startedWithoutInput: input === undefined ? name : undefined,
      masked: (text) => mask?.text(text) ?? text,
    });
  } finally {
    // A workflow that failed, or did not wait for a task, leaves tasks running.
    driverEnded.abort();
    await Promise.allSettled(tasks);
    await directory.remove();
  }
}

/** Labels for the lines of a workflow's tasks: the name, with a number from the second call of the same task on. */
function createLabels(colors: LocalRun["colors"]): (name: string) => { stdout: string; stderr: string } {
  const calls = new Map<string, number>();
  let index = 0;
  return (name) => {
    const call = (calls.get(name) ?? 0) + 1;
    calls.set(name, call);
    const shown = call === 1 ? name : `${name}#${call}`;
    const at = index++;
    return { stdout: lineLabel(shown, at, colors.stdout), stderr: lineLabel(shown, at, colors.stderr) };
  };
}

/** A masked number or object is a string. */
function toJson(result: unknown, mask: Mask | undefined): string | undefined {
  const json = JSON.stringify(result);
  if (json === undefined || mask === undefined) return json;
  const masked = mask.text(json);
  try {
    JSON.parse(masked);
    return masked;
  } catch {
    return JSON.stringify(masked);
  }
}

interface TaskDependencies extends Pick<ChildOptions, "file" | "mask" | "stdout" | "stderr" | "labels" | "signal"> {
  /** For this task's files alone; made when there are any. */
  readonly directory: string;
  warn(text: string): void;
}

/** Runs a task; an error without a thrower gets this task as its thrower. */
async function runTask(call: TaskCall, run: LocalRun, dependencies: TaskDependencies): Promise<unknown> {
  try {
    return await executeTask(call, run, dependencies);
  } catch (error) {
    const wire = serializeError(error);
    const { kind, name } = call.definition;
    throw deserializeError({ ...wire, thrower: wire.thrower ?? { kind, name } });
  }
}

async function executeTask(call: TaskCall, run: LocalRun, dependencies: TaskDependencies): Promise<unknown> {
  const { directory, warn, ...child } = dependencies;
  const report = run.verbose ? run.stderr : undefined;
  try {
    const { env, mount: opened } = await giveSecrets(call, { ...run, ...dependencies, report }).catch(withoutMessage);
    await using mount = opened;
    return await runChild({ ...child, env, mount, role: "task", name: call.definition.name, input: call.input });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Of a fault of ours, which would be shown as one of the user's code, with a message that may hold a value. */
function withoutMessage(error: unknown): never {
  if (isSecretsError(error)) throw error;
  throw new SecretsError("internal", describeInternalError(error));
}

function createWarner(stderr: Writable): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (!said.has(text)) stderr.write(`warning: ${escapeControls(text)}\n`);
    said.add(text);
  };
}
