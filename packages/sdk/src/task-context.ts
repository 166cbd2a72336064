import { SecretsError } from "@flyte-secrets/core";
import { processEnvironment } from "./environment.ts";
import type { PlaceOptions } from "./find-secret.ts";
import { findSecret } from "./find-secret.ts";
import { isStartedByRunner, taskRuntime } from "./task-runtime.ts";

/** How to read a secret. */
export interface GetSecretOptions {
  /** The `groupVersion` of the request. */
  readonly groupVersion?: string | undefined;
  /** `utf8` (default): text without white space at its ends. `bytes`: a Uint8Array, exactly as stored. */
  readonly encoding?: "utf8" | "bytes" | undefined;
}

/** Reads a secret that the task requested: see {@link TaskContext.getSecret}. */
export interface GetSecret {
  (group: string | undefined, key: string | undefined, options: GetSecretOptions & { encoding: "bytes" }): Uint8Array;
  (group?: string, key?: string, options?: GetSecretOptions & { encoding?: "utf8" | undefined }): string;
}

/** Secrets as properties, by group and key. A group or key named `get` or `then` has to be read by `get(...)`. */
export type SecretsByGroup = { readonly get: GetSecret } & {
  readonly [group: string]: { readonly [key: string]: string };
};

/** What a task knows about its execution. */
export interface TaskContext {
  /**
   * Reads a secret that the task requested from its variable or file. Each part of the query is optional, but one is
   * needed. Throws `secret_not_readable` when the task was not given the secret; the message names the missing request
   * and all places where the value could be.
   */
  readonly getSecret: GetSecret;
  /** The same as properties: `secrets.<group>.<key>`, or `secrets.get(group, key)`. */
  readonly secrets: SecretsByGroup;
}

/** The context of the task that runs in this process. */
export function currentContext(): TaskContext {
  const { variables } = processEnvironment();
  // Flyte sets the project in every task; without it this process runs on a user's machine.
  const local = taskRuntime().local ?? variables.FLYTE_INTERNAL_EXECUTION_PROJECT === undefined;
  const isRun = isStartedByRunner(variables);
  return createTaskContext({ variables, local, isRun, vaultDirectory: "/vault/secrets" });
}

/** A context that reads the given places instead of those of this process. */
export function createTaskContext(places: PlaceOptions): TaskContext {
  function getSecret(
    group: string | undefined,
    key: string | undefined,
    options: GetSecretOptions & { encoding: "bytes" },
  ): Uint8Array;
  function getSecret(
    group?: string,
    key?: string,
    options?: GetSecretOptions & { encoding?: "utf8" | undefined },
  ): string;
  function getSecret(group?: string, key?: string, options: GetSecretOptions = {}): string | Uint8Array {
    const bytes = findSecret({ group, groupVersion: options.groupVersion, key }, places);
    return options.encoding === "bytes" ? bytes : toText(bytes, group, key);
  }
  return { getSecret, secrets: secretsByGroup(getSecret) };
}

function toText(bytes: Uint8Array, group = "", key = ""): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).trim();
  } catch {
    const message = `The secret with group "${group}" and key "${key}" is not UTF-8 text: read it with { encoding: "bytes" }.`;
    throw new SecretsError("invalid_argument", message);
  }
}

function secretsByGroup(getSecret: GetSecret): SecretsByGroup {
  const byKey = (group: string): object =>
    new Proxy({}, { get: (_, key) => (isSecretName(key) ? getSecret(group, key) : undefined) });
  const byGroup = new Proxy(
    { get: getSecret },
    { get: (own, group) => (group === "get" ? own.get : isSecretName(group) ? byKey(group) : undefined) },
  );
  // A proxy has every property, and no type can be derived from it.
  return byGroup as unknown as SecretsByGroup;
}

/** `await` and JSON read these properties of every object; they are not missing secrets. */
const isSecretName = (name: string | symbol): name is string =>
  typeof name === "string" && name !== "then" && name !== "toJSON";
