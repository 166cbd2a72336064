import type { Clock } from "@flyte-secrets/core";
import { isSecretsError, raceSignal, SecretsError } from "@flyte-secrets/core";
import type { OwnerReference, SecretToDeliver, SecretWriter } from "@flyte-secrets/inject";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeSecret, retryConflict, SECRETS } from "@flyte-secrets/kube";
import {
  type DeliveredSecret,
  isRetentionDue,
  type Lifetimes,
  mayOwn,
  retentionAnnotations,
  toDeliveredSecret,
} from "./delivered-secret.ts";
import type { DeliveredSecrets } from "./delivered-secrets.ts";
import { createNamespaceLimiter } from "./namespace-limiter.ts";
import type { WriteLimits } from "./write-limits.ts";

/** Kubernetes' limit for the values of a Secret together; a delivered Secret has one value. */
const MAX_BYTES = 1_048_576;

/**
 * How many writes to one namespace run at a time. Most pods need fewer Secrets, so that they wait for one write only.
 */
const MAX_AT_ONCE = 16;

export interface KubernetesSecretWriterOptions {
  readonly client: Pick<KubeClient, "get" | "create" | "patch">;
  /** The delivered Secrets of a namespace; undefined for a namespace that may not be written to. */
  readonly deliveredIn: (namespace: string) => DeliveredSecrets | undefined;
  /**
   * Far longer than it takes until an admitted pod is listed: after an admission at least three quarters of the shorter
   * lifetime are left.
   */
  readonly lifetimes: Lifetimes;
  readonly limits: WriteLimits;
  readonly clock: Clock;
  /** Ends writes in flight. */
  readonly signal: AbortSignal;
}

/**
 * Writes Secrets through the API server. An existing one, as a watch reports it, is not written and costs no request.
 * While the watch is stale and the API server unreachable, one that existed last is assumed to exist. The sweeper
 * deletes them, or Kubernetes deletes them with the owners of their pod, until a pod with other owners or none needs
 * them too.
 *
 * Throws `value_too_large`, `namespace_not_writable` for a namespace that is not listed, `pod_conflict` for a foreign
 * Secret of that name, `too_many_secrets`, and what the client throws.
 */
export function createKubernetesSecretWriter(options: KubernetesSecretWriterOptions): SecretWriter {
  const { client, deliveredIn, lifetimes, limits, clock, signal } = options;
  const limitInNamespace = createNamespaceLimiter(MAX_AT_ONCE);
  /** Writes in flight, by Secret and owners: a task creates many pods at once. */
  const inFlight = new Map<string, Promise<void>>();

  async function write(wanted: Wanted, written: DeliveredSecrets): Promise<void> {
    const {
      namespace,
      secret: { name },
    } = wanted;
    const present = written.in(namespace).get(name);
    if (present !== undefined) return await keep(present, wanted, written);
    const secret = toSecret(wanted, retentionAnnotations(clock.now(), false, lifetimes));
    // A Secret that the watch last reported is not new.
    if (written.lastIn(namespace).get(name) !== undefined) limits.countWrite(namespace);
    else limits.countNew(namespace, written.countsOf(namespace), bytesOf(wanted.secret));
    try {
      written.put(await client.create(SECRETS, secret, { signal }));
    } catch (error) {
      if (isSecretsError(error, "store_unavailable", "deadline_exceeded")) {
        // As the watch last reported it: neither the deletion of an owner nor a sweeper has removed it since.
        const last = written.lastIn(namespace).get(name);
        if (last !== undefined && !isDue(last, wanted.owners)) return;
      }
      if (!isSecretsError(error, "already_exists")) throw error;
      const found = await client.get(SECRETS, { namespace, name }, { signal });
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) throw goneMeanwhile(wanted);
      const ours = hasContentOf(found, secret) ? toDeliveredSecret(found) : undefined;
      if (ours === undefined) throw inTheWay(wanted);
      limits.giveBack(namespace);
      written.put(found);
      await keep(ours, wanted, written);
    }
  }

  /** Makes an existing Secret stay as long as this pod may need it. */
  async function keep(present: DeliveredSecret, wanted: Wanted, written: DeliveredSecrets): Promise<void> {
    if (!isDue(present, wanted.owners)) return;
    const { namespace, name, resourceVersion, isNamed = true } = present;
    const annotations = retentionAnnotations(clock.now(), isNamed, lifetimes);
    limits.countWrite(namespace);
    const isShared = hasOtherOwners(present, wanted.owners);
    const patch = { metadata: { resourceVersion, annotations, ...(isShared && { ownerReferences: null }) } };
    try {
      written.put(await client.patch(SECRETS, { namespace, name, patch }, { signal }));
    } catch (error) {
      if (!isSecretsError(error, "conflict", "not_found")) throw error;
      written.forget(present);
      throw goneMeanwhile(wanted, error);
    }
  }

  const isDue = (present: DeliveredSecret, wanted: readonly OwnerReference[], now = clock.now()) =>
    isRetentionDue(present, now, lifetimes) || hasOtherOwners(present, wanted);

  /** Like {@link write}; pods that need the same Secret at the same time share one write. */
  function writeOnce(wanted: Wanted, written: DeliveredSecrets): Promise<void> {
    const key = [wanted.namespace, wanted.secret.name, ...wanted.owners.map(({ uid }) => uid)].join("/");
    const writing =
      inFlight.get(key) ??
      limitInNamespace(wanted.namespace, () => retryConflict({ clock, signal }, () => write(wanted, written))).finally(
        () => inFlight.delete(key),
      );
    inFlight.set(key, writing);
    return writing;
  }

  return {
    write(namespace, secrets, { owners, signal: caller, dryRun = false }) {
      const written = deliveredIn(namespace);
      if (written === undefined) throw notListed(namespace);
      if (dryRun) return;
      const [known, now] = [written.in(namespace), clock.now()];
      const isKept = ({ name }: SecretToDeliver) => {
        const present = known.get(name);
        return present !== undefined && !isDue(present, owners, now);
      };
      if (secrets.every(isKept)) return;

      const lacking = secrets.filter((secret) => !isKept(secret));
      const wanted = { namespace, owners: mayOwn(owners) ? owners : [] };
      return raceSignal(caller, async () => {
        await Promise.all(lacking.map((secret) => writeOnce({ ...wanted, secret }, written)));
      });
    },
  };
}

interface Wanted {
  readonly namespace: string;
  readonly secret: SecretToDeliver;
  readonly owners: readonly OwnerReference[];
}

function bytesOf({ data }: SecretToDeliver): number {
  return Object.values(data).reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function toSecret({ namespace, secret, owners }: Wanted, annotations: Readonly<Record<string, string>>): KubeSecret {
  for (const [key, { byteLength }] of Object.entries(secret.data)) {
    if (byteLength > MAX_BYTES) throw tooLarge(key, namespace, byteLength);
  }
  // Without `blockOwnerDeletion`: it would need a permission on the owner.
  const ownerReferences = owners.map(({ apiVersion, kind, name, uid }) => ({ apiVersion, kind, name, uid }));
  const { name, labels } = secret;
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    // Its name depends on its content, and kubelets do not watch immutable Secrets.
    immutable: true,
    metadata: { namespace, name, labels, annotations, ...(owners.length > 0 && { ownerReferences }) },
    data: Object.fromEntries(Object.entries(secret.data).map(([key, value]) => [key, value.revealBase64()])),
  };
}

/** Whether Kubernetes would delete it with owners other than the wanted ones. */
function hasOtherOwners({ owners }: DeliveredSecret, wanted: readonly OwnerReference[]): boolean {
  return owners.size > 0 && (wanted.length !== owners.size || wanted.some(({ uid }) => !owners.has(uid)));
}

function hasContentOf({ data: found = {} }: KubeSecret, { data: wanted = {} }: KubeSecret): boolean {
  const keys = Object.keys(wanted);
  return keys.length === Object.keys(found).length && keys.every((key) => found[key] === wanted[key]);
}

function tooLarge(key: string, namespace: string, bytes: number): SecretsError {
  return new SecretsError(
    "value_too_large",
    `The value of ${key} for a pod in namespace ${namespace} has ${bytes} bytes; Kubernetes takes ${MAX_BYTES} in ` +
      "one Secret.",
  );
}

function notListed(namespace: string): SecretsError {
  return new SecretsError(
    "namespace_not_writable",
    `Nothing is written to namespace ${namespace}, since webhook.writtenSecrets.namespaces doesn't list it.`,
  );
}

function inTheWay({ namespace, secret: { name } }: Wanted): SecretsError {
  return new SecretsError(
    "pod_conflict",
    `Secret ${name} in namespace ${namespace} is in the way: it is not as the webhook writes it. ` +
      `Delete it: kubectl delete secret ${name} --namespace ${namespace}`,
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
