import { AsyncLocalStorage } from "node:async_hooks";
import { type SecretRequest, SecretsError } from "@flyte-secrets/core";
import { checkFields, checkTexts, describe } from "./check-fields.ts";
import { inheritRequests, type SecretDeclarations, toSecretRequests } from "./task-requests.ts";
import { type TaskDefinition, taskRuntime, warnOutsideRunner } from "./task-runtime.ts";

/** The parameters of a task: none, or one JSON object. */
export type TaskArguments = readonly [input?: object | undefined];

/** A task or workflow: call it as the function that it wraps. */
export interface Task<Arguments extends TaskArguments, Output> {
  (this: unknown, ...input: Arguments): Promise<Output>;
  readonly definition: TaskDefinition;
  /** Executes the body in this process, without the runner's runtime. For runners. */
  run(input?: unknown): Promise<Output>;
}

/** Name and secrets of a task or workflow. */
export interface TaskOptions extends SecretDeclarations {
  readonly name: string;
}

/** Options of a decorated method (standard decorators of TypeScript 5). The default of `name` is the method's name. */
export interface MethodTaskOptions extends SecretDeclarations {
  readonly name?: string | undefined;
}

/** Turns an async method into a task. An instance method that a runner executes in another process has no `this`. */
export type TaskDecorator = <This, Arguments extends TaskArguments, Output>(
  method: (this: This, ...input: Arguments) => Promise<Output>,
  context: ClassMethodDecoratorContext<This, (this: This, ...input: Arguments) => Promise<Output>>,
) => Task<Arguments, Output>;

/** The requests of the workflows around the current call. Every task that is called in them inherits these. */
const inheritedRequests = new AsyncLocalStorage<readonly SecretRequest[]>();

/** The requests that a task inherits if it is called now. */
export const currentInheritance = (): readonly SecretRequest[] => inheritedRequests.getStore() ?? [];

/**
 * Makes a task: a function that runs with its secrets. With a body it returns the task; without one it returns a
 * decorator for a method. The secrets are checked here: `invalid_argument`.
 */
export function task<Arguments extends TaskArguments, Output>(
  options: TaskOptions,
  body: (...input: Arguments) => Promise<Output> | Output,
): Task<Arguments, Output>;
export function task(options: MethodTaskOptions): TaskDecorator;
export function task<Arguments extends TaskArguments, Output>(
  options: MethodTaskOptions,
  body?: (...input: Arguments) => Promise<Output> | Output,
): Task<Arguments, Output> | TaskDecorator {
  return make("task", options, body);
}

/**
 * Makes a workflow: its body calls tasks and other workflows, which all inherit its secrets. The body itself
 * runs where it is called and is given no secrets. Same forms as {@link task}.
 */
export function workflow<Arguments extends TaskArguments, Output>(
  options: TaskOptions,
  body: (...input: Arguments) => Promise<Output> | Output,
): Task<Arguments, Output>;
export function workflow(options: MethodTaskOptions): TaskDecorator;
export function workflow<Arguments extends TaskArguments, Output>(
  options: MethodTaskOptions,
  body?: (...input: Arguments) => Promise<Output> | Output,
): Task<Arguments, Output> | TaskDecorator {
  return make("workflow", options, body);
}

function make<Arguments extends TaskArguments, Output>(
  kind: TaskDefinition["kind"],
  options: MethodTaskOptions,
  body: ((...input: Arguments) => Promise<Output> | Output) | undefined,
): Task<Arguments, Output> | TaskDecorator {
  if (body === undefined) return decorator(kind, options);
  const definition = toDefinition(kind, options, body.name);
  if (typeof body === "function") return define(definition, body);
  throw new SecretsError("invalid_argument", `${kind} "${definition.name}" needs a function, got ${describe(body)}.`);
}

function decorator(kind: TaskDefinition["kind"], options: MethodTaskOptions): TaskDecorator {
  return (method, context) => {
    let owner: unknown;
    // The class of a static method exists only after its definition, and the method cannot be called earlier.
    context.addInitializer(function () {
      if (context.static) owner = this;
    });
    return define(toDefinition(kind, options, String(context.name)), method, () => owner);
  };
}

const FIELDS: readonly (keyof MethodTaskOptions)[] = ["name", "secrets", "secretRequests"];

function toDefinition(kind: TaskDefinition["kind"], options: MethodTaskOptions, ofFunction: string): TaskDefinition {
  checkFields(kind, options, FIELDS, `${kind}({ name: "my-${kind}" }, async () => ...)`);
  checkTexts(kind, { name: options.name });
  const name = options.name ?? ofFunction;
  if (!name)
    throw new SecretsError("invalid_argument", `${kind} needs a name: write ${kind}({ name: "my-${kind}" }, ...).`);
  return { name, kind, requests: toSecretRequests(options) };
}

function define<This, Arguments extends TaskArguments, Output>(
  definition: TaskDefinition,
  body: (this: This, ...input: Arguments) => Promise<Output> | Output,
  owner?: () => unknown,
): Task<Arguments, Output> {
  const runAs = async (self: unknown, input: Arguments): Promise<Output> => {
    // `self` is the object of the call, whose type TypeScript has checked there.
    const execute = async (): Promise<Output> => {
      try {
        return await body.call(self as This, ...input);
      } catch (error) {
        taskRuntime().onFailure?.(error, definition);
        throw error;
      }
    };
    if (definition.kind === "task") return execute();
    return inheritedRequests.run(inheritRequests(definition.requests, currentInheritance()), execute);
  };
  async function call(this: unknown, ...input: Arguments): Promise<Output> {
    const { invoke } = taskRuntime();
    if (definition.kind === "workflow" || invoke === undefined) {
      if (definition.kind === "task") warnOutsideRunner(inheritRequests(definition.requests, currentInheritance()));
      return runAs(this ?? owner?.(), input);
    }
    // The runner ran the same body in another process: its result is Output in JSON.
    return (await invoke({ definition, inherited: currentInheritance(), input: input[0] })) as Output;
  }
  // The runner passes the JSON that the caller or the user gave: the task's author declares its type.
  const run = (input?: unknown): Promise<Output> =>
    runAs(owner?.(), (input === undefined ? [] : [input]) as unknown as Arguments);
  const made = Object.assign(call, { definition, run, takesInput: body.length > 0 });
  Object.defineProperty(made, "name", { value: definition.name });
  taskRuntime().onDefine?.(made);
  return made;
}
