import { quote, type SecretRequest } from "@flyte-secrets/core";
import { processEnvironment } from "./environment.ts";

/** What a task or workflow is, apart from its code. */
export interface TaskDefinition {
  readonly name: string;
  readonly kind: "task" | "workflow";
  /** What it asks for itself, without what it inherits. */
  readonly requests: readonly SecretRequest[];
}

/** Anything made by `task` or `workflow`, seen from a runner. */
export interface AnyTask {
  readonly definition: TaskDefinition;
  /** Executes the body in this process, whatever the runtime says. */
  run(input?: unknown): Promise<unknown>;
  /** Whether the body has a parameter without a default; undefined for a task of an earlier version of this package. */
  readonly takesInput?: boolean;
}

/** One call of a task, for a runner to carry out elsewhere. */
export interface TaskCall {
  readonly definition: TaskDefinition;
  /** The requests of the workflows around the call. */
  readonly inherited: readonly SecretRequest[];
  readonly input: unknown;
}

/**
 * What a runner puts at `globalThis[TASK_RUNTIME]` before it loads a file with tasks. It lies on globalThis because the
 * file's copy of this package need not be the runner's.
 */
export interface TaskRuntime {
  /** Told of every task and workflow as it is defined. */
  readonly onDefine?: ((task: AnyTask) => void) | undefined;
  /** Carries out every call of a task; without it the task's body runs in this process. */
  readonly invoke?: ((call: TaskCall) => Promise<unknown>) | undefined;
  /**
   * Told of what the body of a task or workflow threw, by the innermost first: the same error comes again from those
   * around it.
   */
  readonly onFailure?: ((error: unknown, definition: TaskDefinition) => void) | undefined;
  /** Tasks run on this machine: secrets are looked for without the variable prefix too. */
  readonly local?: boolean | undefined;
}

export const TASK_RUNTIME: unique symbol = Symbol.for("@flyte-secrets/sdk.runtime");

/** The runtime that a runner has installed; without one, everything runs in this process. */
export function taskRuntime(): TaskRuntime {
  // A foreign copy of this package or a runner has put it there: its type is the contract, not something we can check.
  return (globalThis as { [TASK_RUNTIME]?: TaskRuntime })[TASK_RUNTIME] ?? {};
}

/**
 * Whether something has started this process that gives tasks their secrets: a runner, which installs its runtime, or
 * Flyte, which sets the project in every task.
 */
export function isStartedByRunner(variables: Readonly<Record<string, string | undefined>>): boolean {
  return TASK_RUNTIME in globalThis || variables.FLYTE_INTERNAL_EXECUTION_PROJECT !== undefined;
}

let warned = false;

/**
 * Warns, once in a process, that a task is called whose variables nothing sets: `node file.ts` runs its body as a plain
 * function. Silent where a runner or a cluster has started the process, and where the variables are set by other means,
 * as in a test.
 */
export function warnOutsideRunner(requests: readonly SecretRequest[]): void {
  const { variables, warn = (message) => process.emitWarning(message) } = processEnvironment();
  if (warned || isStartedByRunner(variables)) return;
  const unset = requests.find(({ envVar }) => envVar !== "" && variables[envVar] === undefined);
  if (unset === undefined) return;
  warned = true;
  warn(
    `Nothing has set the variable ${unset.envVar} for secret ${quote(unset.key)}: ` +
      "a task gets its secrets when flyte-secrets run FILE TASK runs it.",
  );
}
