import { isSecretsError, type KubernetesSecret, type OwnerReference, SecretsError } from "@flyte-secrets/core";
import type { SecretWriter } from "@flyte-secrets/inject";
import type { Clock } from "../../clock.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { SECRETS, type Secret } from "../../kube/kube-object.ts";
import { retryConflict } from "../../kube/retry-conflict.ts";
import { settleBefore } from "../../values/settle-before.ts";
import { NEEDED_ANNOTATION, toWrittenSecret, type WrittenSecret } from "./written-secret.ts";
import type { WrittenSecrets } from "./written-secrets.ts";

/** Kubernetes' own limit for the values of a Secret together. */
const MAX_BYTES = 1_048_576;

export interface KubernetesSecretWriterOptions {
  readonly client: Pick<KubeClient, "get" | "create" | "patch">;
  /** What is known of the Secrets of a namespace; undefined for one that nothing may be written to. */
  readonly writtenIn: (namespace: string) => WrittenSecrets | undefined;
  /** How old the note of when a Secret was needed may get while pods need it. Well below the time after which one is collected. */
  readonly refreshMs: number;
  readonly clock: Clock;
  /** Ends writes under way. */
  readonly signal: AbortSignal;
}

/**
 * Writes Secrets through the API server. One that is there is left alone, and nothing is asked: a watch tells. It goes away with
 * the owners of the pod that it was made for, until a pod with other owners, or none, needs it too: from then on it is the sweeper's.
 *
 * Throws `value_too_large`, `call_refused` for a namespace that is not to be written to and for a foreign Secret of that name, and what the
 * client throws.
 */
export function createKubernetesSecretWriter(options: KubernetesSecretWriterOptions): SecretWriter {
  const { client, writtenIn, refreshMs, clock, signal } = options;
  /** By Secret and owners: pods of one task come in numbers. */
  const underWay = new Map<string, Promise<void>>();

  const needed = () => ({ [NEEDED_ANNOTATION]: new Date(clock.now()).toISOString() });

  async function write(secret: Secret, written: WrittenSecrets): Promise<void> {
    const { name, namespace = "" } = secret.metadata;
    const present = written.find({ namespace, name });
    if (present !== undefined) return await keep(present, secret, written);
    try {
      written.put(await client.create(SECRETS, secret, { signal }));
    } catch (error) {
      if (!isSecretsError(error, "already_exists")) throw error;
      const found = await client.get(SECRETS, { namespace, name }, { signal });
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) throw goneMeanwhile(secret);
      const ours = hasContentOf(found, secret) ? toWrittenSecret(found) : undefined;
      if (ours === undefined) throw inTheWay(secret);
      written.put(found);
      await keep(ours, secret, written);
    }
  }

  /** Sees to it that a Secret that is there stays as long as this pod may need it. */
  async function keep(present: WrittenSecret, wanted: Secret, written: WrittenSecrets): Promise<void> {
    if (!isDue(present, wanted)) return;
    const { namespace, name, resourceVersion } = present;
    const patch = { metadata: { resourceVersion, annotations: needed(), ownerReferences: null } };
    try {
      written.put(await client.patch(SECRETS, { namespace, name, patch }, { signal }));
    } catch (error) {
      if (!isSecretsError(error, "conflict", "not_found")) throw error;
      written.forget(present);
      throw goneMeanwhile(wanted, error);
    }
  }

  function isDue({ owners, neededAt }: WrittenSecret, { metadata: { ownerReferences = [] } }: Secret): boolean {
    if (owners.size === 0) return clock.now() - neededAt >= refreshMs;
    return ownerReferences.length !== owners.size || ownerReferences.some(({ uid }) => !owners.has(uid));
  }

  return {
    async write(namespace, secret, { owners, signal: caller }) {
      const written = writtenIn(namespace);
      if (written === undefined) throw notListed(namespace);
      const wanted = toSecret(namespace, secret, { owners, annotations: needed() });
      const present = written.find({ namespace, name: secret.name });
      if (present !== undefined && !isDue(present, wanted)) return;

      const key = [namespace, secret.name, ...owners.map(({ uid }) => uid)].join("/");
      await settleBefore(caller, () => {
        const writing =
          underWay.get(key) ??
          retryConflict({ clock, signal }, () => write(wanted, written)).finally(() => underWay.delete(key));
        underWay.set(key, writing);
        return writing;
      });
    },
  };
}

interface Surroundings {
  readonly owners: readonly OwnerReference[];
  readonly annotations: Readonly<Record<string, string>>;
}

function toSecret(namespace: string, secret: KubernetesSecret, { owners, annotations }: Surroundings): Secret {
  const bytes = Object.values(secret.data).reduce((sum, value) => sum + value.byteLength, 0);
  if (bytes > MAX_BYTES) throw tooLarge(namespace, bytes);
  // Without `blockOwnerDeletion`: it would need a permission on the owner.
  const ownerReferences = owners.map(({ apiVersion, kind, name, uid }) => ({ apiVersion, kind, name, uid }));
  const { name, labels } = secret;
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    // Its name says its content; and kubelets don't watch what can't change.
    immutable: true,
    metadata: { namespace, name, labels, annotations, ...(owners.length > 0 && { ownerReferences }) },
    data: Object.fromEntries(Object.entries(secret.data).map(([key, value]) => [key, value.revealBase64()])),
  };
}

function hasContentOf({ data: found = {} }: Secret, { data: wanted = {} }: Secret): boolean {
  const keys = Object.keys(wanted);
  return keys.length === Object.keys(found).length && keys.every((key) => found[key] === wanted[key]);
}

function tooLarge(namespace: string, bytes: number): SecretsError {
  return new SecretsError(
    "value_too_large",
    `The secrets that the pod in namespace ${namespace} asks for have ${bytes} bytes together; Kubernetes takes ${MAX_BYTES} in one Secret. Ask for fewer.`,
  );
}

function notListed(namespace: string): SecretsError {
  return new SecretsError(
    "call_refused",
    `Nothing is written to namespace ${namespace}, since webhook.writtenSecrets.namespaces doesn't list it.`,
  );
}

function inTheWay({ metadata: { name, namespace } }: Secret): SecretsError {
  return new SecretsError(
    "call_refused",
    `Secret ${name} in namespace ${namespace} is in the way: it is not as the webhook writes it. Delete it.`,
  );
}

function goneMeanwhile({ metadata: { name, namespace } }: Secret, cause?: unknown): SecretsError {
  return new SecretsError("conflict", `Secret ${name} in namespace ${namespace} was changed or deleted meanwhile.`, {
    cause,
  });
}
