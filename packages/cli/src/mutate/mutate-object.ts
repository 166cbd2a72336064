import { applyPatch, INJECT_LABEL, isSecretsError, type JsonPatchOperation, SecretsError } from "@flyte-secrets/core";
import { type MutatePodOptions, mutatePod } from "@flyte-secrets/server/local";
import { isSent, objectTitle, podInObject } from "../manifests/pod-in-object.ts";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import { toSecretManifest } from "./secret-manifest.ts";

/** What the webhook would make of one object. */
export type MutatedObject =
  | { readonly outcome: "unchanged"; readonly title: string; readonly object: KubernetesObject; readonly why: string }
  | { readonly outcome: "rejected"; readonly error: SecretsError }
  | {
      readonly outcome: "changed";
      readonly title: string;
      readonly before: KubernetesObject;
      readonly object: KubernetesObject;
      readonly patch: readonly JsonPatchOperation[];
      /** The Secrets that are written for it, as manifests. */
      readonly secrets: readonly KubernetesObject[];
      readonly warnings: readonly string[];
      /** Of an object that has a template for pods. */
      readonly isTemplate: boolean;
    };

export interface MutateObjectOptions {
  /** What decides; its result is thrown away. */
  readonly admission: MutatePodOptions;
  /** What is shown: another one where values must not be. */
  readonly shown: MutatePodOptions;
  /** For objects that name no namespace. */
  readonly namespace: string;
  readonly creator: { readonly username: string; readonly groups: readonly string[] };
}

/** Asks the webhook's mutator about an object, or about the pods that it would make. Writes nothing. */
export async function mutateObject(object: KubernetesObject, options: MutateObjectOptions): Promise<MutatedObject> {
  const title = objectTitle(object, options.namespace);
  const found = podInObject(object, options.namespace);
  if (!found) return { outcome: "unchanged", title, object, why: "there is no pod in it" };
  const { pod, pointer, namespace } = found;
  if (!isSent(pod)) {
    return {
      outcome: "unchanged",
      title,
      object,
      why: `without the label ${INJECT_LABEL}: "true" the webhook is not asked`,
    };
  }
  const creation = { pod, namespace, creator: options.creator };
  try {
    const dryRun = { dryRun: true };
    await mutatePod(creation, options.admission, dryRun);
    const mutation = await mutatePod(creation, options.shown, dryRun);
    if (!mutation.changed) {
      return { outcome: "unchanged", title, object, why: "it asks for no secret, or has all that it asks for" };
    }
    const patch = mutation.patch.operations.map((operation) => ({ ...operation, path: pointer + operation.path }));
    return {
      outcome: "changed",
      title,
      before: object,
      object: applyPatch(object, patch),
      patch,
      secrets: mutation.secrets.map((secret) => toSecretManifest(secret, namespace)),
      warnings: mutation.warnings,
      isTemplate: pointer !== "",
    };
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    const message = `${title} would be rejected with status ${error.kind.admission}: ${error.message}`;
    return { outcome: "rejected", error: new SecretsError(error.code, message, { cause: error }) };
  }
}
