import { isSecretsError } from "@flyte-secrets/core";
import type { TaskCall } from "@flyte-secrets/sdk";

/** Whether a child runs the workflow's code and has no secrets, or one task's code with that task's secrets. */
export type ChildRole = "driver" | "task";

/** From the runner to a child, over Node's IPC channel: never in arguments, which every user of the machine can read. */
export type ToChild =
  | { kind: "start"; role: ChildRole; file: string; name: string; input: unknown }
  | { kind: "returned"; call: number; value: unknown }
  | { kind: "threw"; call: number; error: ErrorOnWire };

/** From a child to the runner. `result` or `failed` is the last one. */
export type FromChild =
  | ({ kind: "call"; call: number } & TaskCall)
  | { kind: "result"; value: unknown }
  | { kind: "failed"; error: ErrorOnWire };

/** An error on its way to another process. `code` is set for a SecretsError of either side. */
export interface ErrorOnWire {
  name: string;
  message: string;
  stack?: string;
  code?: string;
}

const FROM_CHILD: readonly string[] = ["call", "result", "failed"] satisfies FromChild["kind"][];

/** Undefined for what is not ours: a task's code may use the same channel, some libraries do. */
export function decodeFromChild(message: unknown): FromChild | undefined {
  if (typeof message !== "object" || message === null || !("kind" in message)) return undefined;
  // The sender is child-main.ts of this very package; anything else on the channel has no such kind.
  return FROM_CHILD.includes(String(message.kind)) ? (message as FromChild) : undefined;
}

/** Anything that was thrown, as far as it can travel. */
export function toErrorOnWire(error: unknown): ErrorOnWire {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  return { name: error.name, message: error.message, stack: stackOf(error), ...codeOf(error) };
}

/** With its causes: `fetch failed` alone says nothing. */
function stackOf(error: Error): string {
  const stack = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${stack}\nCaused by ${stackOf(error.cause)}` : stack;
}

/** An error that looks like the one in the other process, so that a workflow can catch it and a user can find its place. */
export function fromErrorOnWire({ name, message, stack, code }: ErrorOnWire): Error {
  return Object.assign(new Error(message), { name, ...(stack && { stack }), ...(code && { code }) });
}

function codeOf(error: Error): { code?: string } {
  // The file's own copy of the SDK has its own SecretsError class.
  const ours = isSecretsError(error) || (error.name === "SecretsError" && "code" in error);
  return ours && "code" in error ? { code: String(error.code) } : {};
}
