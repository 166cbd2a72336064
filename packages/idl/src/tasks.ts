import { fromBinary } from "@bufbuild/protobuf";
import { type TaskTemplate, TaskTemplateSchema } from "../generated/published/flyteidl2/core/tasks_pb.ts";
import { TaskSpecSchema } from "../generated/published/flyteidl2/task/task_definition_pb.ts";

/**
 * Decodes a task as it is registered: a TaskSpec of Flyte 2 or Flyte 1, whose fields have the same numbers, or a
 * TaskTemplate. Undefined for other bytes. Loading this takes the descriptors of most of Flyte.
 */
export function decodeTask(bytes: Uint8Array): TaskTemplate | undefined {
  return [() => fromBinary(TaskSpecSchema, bytes).taskTemplate, () => fromBinary(TaskTemplateSchema, bytes)]
    .map(decode)
    .find(isTask);
}

function decode(read: () => TaskTemplate | undefined): TaskTemplate | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Bytes of another message may be decoded without an error; they have no name in the place of a task's. */
function isTask(template: TaskTemplate | undefined): boolean {
  return template?.id !== undefined && template.id.name !== "" && template.type !== "";
}
