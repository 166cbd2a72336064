import { inspect } from "node:util";
import { isSecretsError } from "@flyte-secrets/core";
import type { TaskDefinition } from "@flyte-secrets/sdk";
import { DetailedError } from "../failure.ts";

/** How many causes are kept of each error: an AggregateError may have thousands. */
const MAX_CAUSES = 3;
/** How deep causes of causes are followed; they may go in a circle. */
const MAX_CAUSE_DEPTH = 4;

/** Characters of a name or message that are shown at most (`run --verbose`), and some more. */
const MAX_TEXT = 200_000;

/** An error on its way to another process. */
export interface SerializedError {
  name: string;
  message: string;
  stack?: string;
  /** Set for a SecretsError of either side. */
  code?: string;
  /** Of a SecretsError: its message without the list of what was tried. */
  brief?: string;
  /** Set by Node's file system calls. */
  system?: { code: string; path: string };
  /** Whose body threw it, or could not be given its secrets. */
  thrower?: Pick<TaskDefinition, "kind" | "name">;
  /** Whether the body that threw it takes an input and was given none. */
  lacksInput?: true;
  /** `load`: the file threw before any task ran. `stray`: thrown outside of the task's promise, as by a timer. */
  phase?: "load" | "stray";
  /** What to show below the first line. */
  details?: readonly string[];
  causes?: readonly SerializedError[];
}

/** Errors that came from another process: passed on as they came. */
const received = new WeakMap<object, SerializedError>();
/** Whose body threw an error of this process. */
const throwers = new WeakMap<object, Pick<TaskDefinition, "kind" | "name">>();

/** Records the task or workflow whose body threw an error; the first record stays. */
export function noteThrower(error: unknown, { kind, name }: Pick<TaskDefinition, "kind" | "name">): void {
  if (isObject(error) && !throwers.has(error)) throwers.set(error, { kind, name });
}

/** Errors of bodies that were given no input and take one. */
const withoutInput = new WeakSet<object>();

/** Notes that the body which threw an error takes an input and was given none. */
export function noteMissingInput(error: unknown): void {
  if (isObject(error)) withoutInput.add(error);
}

/** Anything that was thrown, as far as it can travel. Never throws, whatever the error's own code does. */
export function serializeError(error: unknown): SerializedError {
  try {
    return describe(error, MAX_CAUSE_DEPTH);
  } catch {
    return { name: "Error", message: "an error that itself throws when it is read" };
  }
}

function describe(error: unknown, depth: number): SerializedError {
  const known = isObject(error) ? received.get(error) : undefined;
  if (known !== undefined) return known;
  const thrower = isObject(error) ? throwers.get(error) : undefined;
  if (!(error instanceof Error)) {
    const shown =
      typeof error === "string" ? error : inspect(error, { depth: 2, breakLength: 80, maxStringLength: 1_000 });
    return { name: "", message: cut(shown), ...(thrower && { thrower }) };
  }
  const causes = depth > 0 ? causesOf(error).map((cause) => describe(cause, depth - 1)) : [];
  const message = String(error.message);
  return {
    name: cut(String(error.name)),
    message: cut(message),
    ...(typeof error.stack === "string" && {
      stack: cut(
        error.stack.replace(message, () => cut(message)),
        2 * MAX_TEXT,
      ),
    }),
    ...codeOf(error),
    ...systemOf(error),
    ...(thrower && { thrower }),
    ...(withoutInput.has(error) && { lacksInput: true }),
    ...(error instanceof DetailedError && { details: error.details }),
    ...(causes.length > 0 && { causes }),
  };
}

function cut(text: string, length = MAX_TEXT): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

function causesOf(error: Error): unknown[] {
  const several: unknown = "errors" in error ? error.errors : undefined;
  const causes = [...(error.cause === undefined ? [] : [error.cause]), ...(Array.isArray(several) ? several : [])];
  return causes.slice(0, MAX_CAUSES);
}

/**
 * An error that looks like the one in the other process, so that a workflow can catch it; passed on, it is that one
 * again.
 */
export function deserializeError(wire: SerializedError): Error {
  const { name, message, stack, code, system } = wire;
  const error = Object.assign(new Error(message), {
    name,
    ...(stack && { stack }),
    ...system,
    ...(code && { code }),
  });
  received.set(error, wire);
  return error;
}

function codeOf(error: Error): Pick<SerializedError, "code" | "brief"> {
  // The file's own copy of the SDK has its own SecretsError class.
  const ours = isSecretsError(error) || (error.name === "SecretsError" && "code" in error);
  if (!ours || !("code" in error)) return {};
  return { code: String(error.code), ...("brief" in error && { brief: String(error.brief) }) };
}

function systemOf(error: Error): Pick<SerializedError, "system"> {
  if (!("code" in error && "path" in error)) return {};
  const { code, path } = error;
  return typeof code === "string" && typeof path === "string" ? { system: { code, path } } : {};
}

const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";
