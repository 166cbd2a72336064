import { isSecretsError, type KubernetesSecret, type OwnerReference, SecretsError } from "@flyte-secrets/core";
import type { SecretWriter } from "@flyte-secrets/inject";
import type { Clock } from "../../clock.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { SECRETS, type Secret } from "../../kube/kube-object.ts";
import { retryConflict } from "../../kube/retry-conflict.ts";
import { settleBefore } from "../../values/settle-before.ts";
import { NEEDED_UNTIL, toWrittenSecret, type WrittenSecret } from "./written-secret.ts";
import type { WrittenSecrets } from "./written-secrets.ts";

/** Kubernetes' own limit for the values of a Secret together. */
const MAX_BYTES = 1_048_576;

export interface KubernetesSecretWriterOptions {
  readonly client: Pick<KubeClient, "get" | "create" | "patch">;
  /** What is known of the Secrets of a namespace; undefined for one that nothing may be written to. */
  readonly writtenIn: (namespace: string) => WrittenSecrets | undefined;
  /**
   * How long a Secret without owners stays after a pod was admitted with it, three quarters of it at least. Well above the time that
   * passes until the pod can be listed.
   */
  readonly unusedMs: number;
  readonly clock: Clock;
  /** Ends writes under way. */
  readonly signal: AbortSignal;
}

/**
 * Writes Secrets through the API server. One that is there is left alone, and nothing is asked: a watch tells. When that does not tell and
 * the API server can't be reached, one that was there counts as being there. It goes away with
 * the owners of the pod that it was made for, until a pod with other owners, or none, needs it too: from then on it is the sweeper's.
 *
 * Throws `value_too_large`, `call_refused` for a namespace that is not to be written to and for a foreign Secret of that name, and what the
 * client throws.
 */
export function createKubernetesSecretWriter(options: KubernetesSecretWriterOptions): SecretWriter {
  const { client, writtenIn, unusedMs, clock, signal } = options;
  /** By Secret and owners: pods of one task come in numbers. */
  const underWay = new Map<string, Promise<void>>();

  const needed = () => ({ [NEEDED_UNTIL]: new Date(clock.now() + unusedMs).toISOString() });

  async function write(wanted: Wanted, written: WrittenSecrets): Promise<void> {
    const {
      namespace,
      secret: { name },
    } = wanted;
    const present = written.find({ namespace, name });
    if (present !== undefined) return await keep(present, wanted, written);
    const secret = toSecret(wanted, needed());
    try {
      written.put(await client.create(SECRETS, secret, { signal }));
    } catch (error) {
      if (isSecretsError(error, "store_unavailable", "deadline_exceeded")) {
        // What the watch last told: neither an owner's end nor a sweeper has removed it since.
        const last = written.findLast({ namespace, name });
        if (last !== undefined && !isDue(last, wanted.owners)) return;
      }
      if (!isSecretsError(error, "already_exists")) throw error;
      const found = await client.get(SECRETS, { namespace, name }, { signal });
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) throw goneMeanwhile(wanted);
      const ours = hasContentOf(found, secret) ? toWrittenSecret(found) : undefined;
      if (ours === undefined) throw inTheWay(wanted);
      written.put(found);
      await keep(ours, wanted, written);
    }
  }

  /** Sees to it that a Secret that is there stays as long as this pod may need it. */
  async function keep(present: WrittenSecret, wanted: Wanted, written: WrittenSecrets): Promise<void> {
    if (!isDue(present, wanted.owners)) return;
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

  function isDue({ owners, neededUntil }: WrittenSecret, wanted: readonly OwnerReference[]): boolean {
    if (owners.size === 0) return neededUntil - clock.now() <= unusedMs * 0.75;
    return wanted.length !== owners.size || wanted.some(({ uid }) => !owners.has(uid));
  }

  return {
    write(namespace, secret, { owners, signal: caller }) {
      const written = writtenIn(namespace);
      if (written === undefined) throw notListed(namespace);
      const present = written.find({ namespace, name: secret.name });
      if (present !== undefined && !isDue(present, owners)) return;

      const key = [namespace, secret.name, ...owners.map(({ uid }) => uid)].join("/");
      return settleBefore(caller, () => {
        const writing =
          underWay.get(key) ??
          retryConflict({ clock, signal }, () => write({ namespace, secret, owners }, written)).finally(() =>
            underWay.delete(key),
          );
        underWay.set(key, writing);
        return writing;
      });
    },
  };
}

interface Wanted {
  readonly namespace: string;
  readonly secret: KubernetesSecret;
  readonly owners: readonly OwnerReference[];
}

function toSecret({ namespace, secret, owners }: Wanted, annotations: Readonly<Record<string, string>>): Secret {
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

function inTheWay({ namespace, secret: { name } }: Wanted): SecretsError {
  return new SecretsError(
    "call_refused",
    `Secret ${name} in namespace ${namespace} is in the way: it is not as the webhook writes it. Delete it.`,
  );
}

function goneMeanwhile({ namespace, secret }: Wanted, cause?: unknown): SecretsError {
  return new SecretsError(
    "conflict",
    `Secret ${secret.name} in namespace ${namespace} was changed or deleted meanwhile.`,
    {
      cause,
    },
  );
}
