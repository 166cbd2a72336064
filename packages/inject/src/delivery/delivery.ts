import type { MaybePromise, SecretValue } from "@flyte-secrets/core";
import type { InjectorEdit } from "../managers/injector.ts";
import type { PodEdit } from "../pod/edit.ts";
import type { OwnerReference } from "../pod/pod.ts";

/** A Secret that the webhook writes into a pod's namespace for the pod to refer to. */
export interface KubernetesSecret {
  /** Says which content it has: another content is another Secret, so it never changes (see `isDeliveredSecretName`). */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** By data key: one value under one key. */
  readonly data: Readonly<Record<string, SecretValue>>;
}

/** The plain edits that a delivery makes of what the injectors want, and what has to be written for them to hold. */
export interface Delivered {
  /** One list for each list of edits that was given, in the same order. */
  readonly edits: readonly (readonly PodEdit[])[];
  readonly secrets: readonly KubernetesSecret[];
}

export interface WriteOptions {
  /** What owns the pod: the Secrets go away with it. Empty when nothing does. */
  readonly owners: readonly OwnerReference[];
  readonly signal?: AbortSignal | undefined;
}

/** Decides how values get into a pod. The only code between injectors and pod that opens a `SecretValue`. */
export interface Delivery {
  readonly name: "SecretRef" | "Inline";
  /** Turns the edits for all requests of a pod into plain ones. Writes nothing. */
  deliver(requested: readonly (readonly InjectorEdit[])[]): Delivered;
  /**
   * Writes what the pod will refer to. Called last, when nothing can refuse the pod any more, and never on a dry run.
   * Throws if it can't be written: the pod is then rejected. Without a promise when everything is there already.
   */
  write(namespace: string, secrets: readonly KubernetesSecret[], options: WriteOptions): MaybePromise<void>;
}
