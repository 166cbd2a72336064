// What a task needs in its pod. Calls to the service are in `./remote.ts`, which nothing here imports: a task starts
// often and rarely manages secrets, and Connect with Flyte's messages takes ten times as long to load as the rest.
export type { SecretRequest } from "@flyte-secrets/core";
export { isSecretsError, SecretsError } from "@flyte-secrets/core";
export { MountType, Secret, type SecretOptions, type SecretRequestOptions } from "./secret.ts";
export {
  type MethodTaskOptions,
  type Task,
  type TaskArguments,
  type TaskDecorator,
  type TaskOptions,
  task,
  workflow,
} from "./task.ts";
export {
  currentContext,
  type GetSecret,
  type GetSecretOptions,
  type SecretsByGroup,
  type TaskContext,
} from "./task-context.ts";
export type { SecretDeclarations } from "./task-requests.ts";
export { type AnyTask, TASK_RUNTIME, type TaskCall, type TaskDefinition, type TaskRuntime } from "./task-runtime.ts";
export { type PodOptions, type TaskLike, type TaskPod, toPod } from "./to-pod.ts";
