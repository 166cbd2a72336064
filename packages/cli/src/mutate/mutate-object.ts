import { INJECT_LABEL, isSecretsError, type SecretsError } from "@flyte-secrets/core";
import { applyPatch, type JsonPatchOperation, type SecretToDeliver } from "@flyte-secrets/inject";
import { type MutatePodOptions, mutatePod } from "@flyte-secrets/webhook";
import { explainMissingPod, isSent, objectTitle, type PodInObject, podsInObject } from "../manifests/pod-in-object.ts";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import { toRejectedPodError } from "./local-admission.ts";

/** What the webhook would make of one object. */
export type MutatedObject =
  | UnchangedObject
  | { readonly outcome: "rejected"; readonly error: SecretsError }
  | ChangedObject;

export interface UnchangedObject {
  readonly outcome: "unchanged";
  readonly title: string;
  readonly object: KubernetesObject;
  readonly why: string;
}

/** With all values in clear. */
export interface ChangedObject {
  readonly outcome: "changed";
  readonly title: string;
  readonly before: KubernetesObject;
  readonly object: KubernetesObject;
  readonly patch: readonly JsonPatchOperation[];
  /** The Secrets that are written for it, as manifests. */
  readonly secrets: readonly KubernetesObject[];
  readonly warnings: readonly string[];
}

export interface MutateObjectOptions {
  readonly admission: MutatePodOptions;
  /** For objects that name no namespace. */
  readonly namespace: string;
  readonly creator: { readonly username: string; readonly groups: readonly string[] };
}

/** Asks the webhook's mutator about an object, or about the pods that it would make. Writes nothing. */
export async function mutateObject(object: KubernetesObject, options: MutateObjectOptions): Promise<MutatedObject> {
  const title = objectTitle(object, options.namespace);
  const unchanged = (why: string) => ({ outcome: "unchanged", title, object, why }) as const;
  const pods = podsInObject(object, options.namespace);
  if (pods.length === 0) return unchanged(explainMissingPod(object));
  const sent = pods.filter(({ pod }) => isSent(pod));
  if (sent.length === 0) return unchanged(`without the label ${INJECT_LABEL}: "true" the webhook is not asked`);
  try {
    const changes = await Promise.all(sent.map((found) => computeChange(found, options)));
    const made = changes.filter((change) => change !== undefined);
    if (made.length === 0) return unchanged("it asks for no secret, or has all that it asks for");
    const patch = made.flatMap(({ patch }) => patch);
    return {
      outcome: "changed",
      title,
      before: object,
      object: applyPatch(object, patch),
      patch,
      secrets: onlyOnce(made.flatMap(({ secrets }) => secrets)),
      warnings: [...new Set(made.flatMap(({ warnings }) => warnings))],
    };
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    return { outcome: "rejected", error: toRejectedPodError(title, error) };
  }
}

type Change = Pick<ChangedObject, "patch" | "secrets" | "warnings">;

/** What one of its pods lacks, as a change of the object. */
async function computeChange(
  { pod, pointer, namespace }: PodInObject,
  { admission, creator }: MutateObjectOptions,
): Promise<Change | undefined> {
  const mutation = await mutatePod({ pod, namespace, creator }, admission, { dryRun: true });
  if (!mutation.changed) return undefined;
  return {
    patch: mutation.patch.operations.map((operation) => ({ ...operation, path: pointer + operation.path })),
    secrets: mutation.secrets.map((secret) => toSecretManifest(secret, namespace)),
    warnings: mutation.warnings,
  };
}

/** Templates of one object often request the same secrets. */
function onlyOnce(secrets: readonly KubernetesObject[]): KubernetesObject[] {
  return [...new Map(secrets.map((secret) => [JSON.stringify(secret.metadata), secret])).values()];
}

/** A Secret as the webhook writes it. */
export function toSecretManifest({ name, labels, data }: SecretToDeliver, namespace: string): KubernetesObject {
  const encoded = Object.entries(data).map(([key, value]) => [key, value.revealBase64()]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels },
    type: "Opaque",
    data: Object.fromEntries(encoded),
  };
}
