import { quote, type SecretRequest } from "@flyte-secrets/core";
import { processEnvironment } from "./environment.ts";

/** A task or workflow without its code. */
export interface TaskDefinition {
  readonly name: string;
  readonly kind: "task" | "workflow";
  /** Its own requests, without inherited ones. */
  readonly requests: readonly SecretRequest[];
}

/** A task or workflow, as a runner uses it. */
export interface AnyTask {
  readonly definition: TaskDefinition;
  /** Executes the body in this process, without the runtime. */
  run(input?: unknown): Promise<unknown>;
  /** Whether the body has a parameter without a default; undefined for a task of an earlier version of this package. */
  readonly takesInput?: boolean;
}

/** A call of a task that a runner executes elsewhere. */
export interface TaskCall {
  readonly definition: TaskDefinition;
  /** The requests of the workflows around the call. */
  readonly inherited: readonly SecretRequest[];
  readonly input: unknown;
}

/**
 * The hooks of a runner, which it sets as `globalThis[TASK_RUNTIME]` before it loads a file with tasks. They are on
 * globalThis because that file may use another copy of this package.
 */
export interface TaskRuntime {
  /** Called for every task and workflow when it is defined. */
  readonly onDefine?: ((task: AnyTask) => void) | undefined;
  /** Executes every call of a task; without it the body runs in this process. */
  readonly invoke?: ((call: TaskCall) => Promise<unknown>) | undefined;
  /**
   * Called with the error of a body, for the innermost task or workflow first and again with the same error for those
   * around it.
   */
  readonly onFailure?: ((error: unknown, definition: TaskDefinition) => void) | undefined;
  /** Whether this is a local run, in which secrets are also looked up without the variables' prefix. */
  readonly local?: boolean | undefined;
}

export const TASK_RUNTIME: unique symbol = Symbol.for("@flyte-secrets/sdk.runtime");

/** Returns the runtime of the runner; an empty one without a runner. */
export function taskRuntime(): TaskRuntime {
  // Another copy of this package or a runner has set it, and its type cannot be checked.
  return (globalThis as { [TASK_RUNTIME]?: TaskRuntime })[TASK_RUNTIME] ?? {};
}

/**
 * Whether this process was started by something that injects secrets: a runner, which sets its runtime, or Flyte, which
 * sets the project in every task.
 */
export function isStartedByRunner(variables: Readonly<Record<string, string | undefined>>): boolean {
  return TASK_RUNTIME in globalThis || variables.FLYTE_INTERNAL_EXECUTION_PROJECT !== undefined;
}

let warned = false;

/**
 * Warns once per process that a task is called as a plain function, as by `node file.ts`, so that nothing injects its
 * secrets. Silent if a runner or a cluster has started the process, or the variables are set by other means, as in a
 * test.
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
