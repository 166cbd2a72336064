import { excerpt, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import { decodeTask } from "@flyte-secrets/idl/tasks";
import type { DeclaredTask } from "./read-tasks.ts";

/**
 * The task in a serialised TaskSpec or TaskTemplate, and what it asks for. Throws `invalid_argument` for other bytes;
 * `name` is what the message calls them.
 */
export function readTaskSpec(bytes: Uint8Array, name: string): Omit<DeclaredTask, "name"> {
  const task = decodeTask(bytes);
  if (task === undefined) {
    const problem = "is no serialised task, neither a TaskSpec nor a TaskTemplate";
    throw new SecretsError("invalid_argument", `${excerpt(name)} ${problem}`);
  }
  const requests = (task.securityContext?.secrets ?? []).map(toRequest);
  return { fullName: task.id?.name ?? "", kind: "task", requests };
}

/** Without what protobuf adds to a message. */
function toRequest({ group, groupVersion, key, mountRequirement, envVar }: SecretRequest): SecretRequest {
  return { group, groupVersion, key, mountRequirement, envVar };
}
