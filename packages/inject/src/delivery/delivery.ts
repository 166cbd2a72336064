import type { MaybePromise, SecretValue } from "@flyte-secrets/core";
import type { InjectorEdit } from "../managers/injector.ts";
import type { PodEdit } from "../pod/edit.ts";
import type { OwnerReference } from "../pod/pod.ts";

/** A Secret that the webhook writes into a pod's namespace for the pod to refer to. */
export interface SecretToDeliver {
  /** Derived from the content, so a Secret of this name never changes (see `isDeliveredSecretName`). */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The one value, by its data key. */
  readonly data: Readonly<Record<string, SecretValue>>;
}

/** The plain edits that a delivery makes of the injectors' edits, and the Secrets to which they refer. */
export interface DeliveryResult {
  /** One list for each given list of edits, in the same order. */
  readonly edits: readonly (readonly PodEdit[])[];
  readonly secrets: readonly SecretToDeliver[];
}

export interface WriteOptions {
  /** The owners of the pod. The Secrets are deleted together with them. Empty for a pod without owners. */
  readonly owners: readonly OwnerReference[];
  readonly signal?: AbortSignal | undefined;
  /** Whether to refuse a namespace that may not be written, and to write nothing. Default false. */
  readonly dryRun?: boolean;
}

/** Decides how values get into a pod. No other code between injectors and pod reveals a `SecretValue`. */
export interface Delivery {
  readonly name: "SecretRef" | "Inline";
  /** Turns the edits of all requests of a pod into plain ones. Writes nothing. */
  deliver(requested: readonly (readonly InjectorEdit[])[]): DeliveryResult;
  /**
   * Writes the Secrets to which the pod refers. Called last, when nothing else can reject the pod. Throws if one can't
   * be written, and then the pod is rejected. Returns no promise when all exist already.
   */
  write(namespace: string, secrets: readonly SecretToDeliver[], options: WriteOptions): MaybePromise<void>;
}
