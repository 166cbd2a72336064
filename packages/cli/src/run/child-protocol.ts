import type { TaskCall } from "@flyte-secrets/sdk";
import type { SerializedError } from "./serialized-error.ts";

/**
 * The role of a child: run the workflow's code without secrets, run one task's code with its secrets, or load the file
 * and return the {@link TaskDefinition} of each task.
 */
export type ChildRole = "driver" | "task" | "lister";

/**
 * From the runner to a child, over Node's IPC channel: never in arguments, which every user of the machine can read.
 */
export type ToChild =
  | { kind: "start"; role: ChildRole; file: string; name: string; input: unknown }
  | { kind: "returned"; call: number; value: unknown }
  | { kind: "threw"; call: number; error: SerializedError };

/**
 * Messages from a child to the runner. `loaded`: the user's file is loaded. `result` or `failed` is the last message.
 */
export type FromChild =
  | { kind: "loaded" }
  | ({ kind: "call"; call: number } & TaskCall)
  | { kind: "result"; value: unknown }
  | { kind: "failed"; error: SerializedError };

const FROM_CHILD: readonly string[] = ["loaded", "call", "result", "failed"] satisfies FromChild["kind"][];

/** Undefined for what is not ours: a task's code may use the same channel, some libraries do. */
export function decodeFromChild(message: unknown): FromChild | undefined {
  if (typeof message !== "object" || message === null || !("kind" in message)) return undefined;
  // The sender is child-main.ts of this very package; anything else on the channel has no such kind.
  return FROM_CHILD.includes(String(message.kind)) ? (message as FromChild) : undefined;
}
