import type { Clock } from "@flyte-secrets/core";
import { SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeSecret, SECRETS, syncCopy } from "@flyte-secrets/kube";
import { DELIVERED_LABEL, type Lifetimes, retentionAnnotations, toDeliveredSecret } from "./delivered-secret.ts";
import type { DeliveredSecrets } from "./delivered-secrets.ts";
import { COPIED_FROM_LABEL, IMAGE_PULL_TYPE, imagePullDigest } from "./image-pull-secret.ts";
import type { ImagePullSources } from "./image-pull-sources.ts";

/** The namespace of a copy, and the name of copy and source. */
export interface CopyTarget {
  readonly namespace: string;
  /** The name of its source. */
  readonly name: string;
}

export interface ImagePullCopierOptions {
  readonly client: Pick<KubeClient, "get" | "create" | "patch" | "delete">;
  readonly sources: ImagePullSources;
  /** Their namespace. */
  readonly source: string;
  readonly deliveredIn: (namespace: string) => DeliveredSecrets | undefined;
  readonly lifetimes: Lifetimes;
  readonly clock: Clock;
  /** Ends writes in flight. */
  readonly signal: AbortSignal;
}

/**
 * Makes a copy equal to its source, or deletes it if the source is gone ({@link syncCopy}). `podNeedsIt`: a missing
 * copy is created, and its retention renewed. `sourceChanged`: only an existing copy is written.
 */
export type SyncImagePullCopy = (place: CopyTarget, reason: "podNeedsIt" | "sourceChanged") => Promise<void>;

/**
 * A copy of Flyte's webhook is taken over when a pod needs it. Any other foreign Secret of the name throws
 * `pod_conflict` if the copy is needed, unless its content is the same.
 */
export function createImagePullCopier(options: ImagePullCopierOptions): SyncImagePullCopy {
  const { client, sources, source, deliveredIn, lifetimes, clock, signal } = options;

  async function create({ namespace, name }: CopyTarget, from: KubeSecret | undefined): Promise<void> {
    const delivered = deliveredIn(namespace);
    const annotations = retentionAnnotations(clock.now(), false, lifetimes);
    if (from === undefined) delivered?.forget({ namespace, name });
    else delivered?.put(await client.create(SECRETS, toCopy(from, namespace, annotations), { signal }));
  }

  async function update(there: KubeSecret, from: KubeSecret | undefined, { place, isNeeded }: Update): Promise<void> {
    const { namespace, name } = place;
    const delivered = deliveredIn(namespace);
    const { uid, resourceVersion } = there.metadata;
    const isSame = from !== undefined && imagePullDigest(there) === imagePullDigest(from);
    const ours = toDeliveredSecret(there);
    if (isNeeded && from !== undefined && ours === undefined && isCopyOfFlytes(there, from)) {
      const labels = { [DELIVERED_LABEL.name]: DELIVERED_LABEL.value, [COPIED_FROM_LABEL]: source };
      const metadata = { resourceVersion, labels, annotations: retentionAnnotations(clock.now(), true, lifetimes) };
      delivered?.put(
        await client.patch(SECRETS, { namespace, name, patch: { metadata, data: from.data } }, { signal }),
      );
    } else if (ours?.copy?.from !== source) {
      // A Secret with the same content serves the pod, whoever created it.
      if (isNeeded && !isSame) throw inTheWay(place);
    } else if (from === undefined) {
      await client.delete(SECRETS, { ...place, preconditions: { uid, resourceVersion } }, { signal });
      delivered?.forget(place);
    } else if (isNeeded || !isSame) {
      const annotations = isNeeded && retentionAnnotations(clock.now(), ours.isNamed ?? true, lifetimes);
      const metadata = { resourceVersion, ...(annotations && { annotations }) };
      const patch = { metadata, data: from.data };
      delivered?.put(await client.patch(SECRETS, { namespace, name, patch }, { signal }));
    } else {
      delivered?.put(there);
    }
  }

  return ({ namespace, name }, reason) => {
    const place = { namespace, name };
    const isNeeded = reason === "podNeedsIt";
    return syncCopy(
      {
        label: `Secret ${name} in namespace ${namespace}`,
        readCopy: () => client.get(SECRETS, place, { signal }),
        readSource: () => sources.read(name, signal),
        async write(there, from) {
          if (there?.metadata.deletionTimestamp !== undefined) return "changed";
          if (there === undefined) await create(place, isNeeded ? from : undefined);
          else await update(there, from, { place, isNeeded });
          return "synced";
        },
      },
      { clock, signal },
    );
  };
}

interface Update {
  readonly place: CopyTarget;
  readonly isNeeded: boolean;
}

/** The prefix of the source's labels that identify its secret. */
const DESCRIBING = "union.ai/";

/**
 * Whether a Secret is a copy of Flyte's webhook: with the source's name, type and labels, without an owner, and
 * mutable. These copies have no label of their own and are never updated or deleted.
 */
function isCopyOfFlytes({ metadata, type, immutable }: KubeSecret, from: KubeSecret): boolean {
  const { labels = {}, ownerReferences = [] } = metadata;
  const wanted = Object.entries(from.metadata.labels ?? {});
  return (
    type === IMAGE_PULL_TYPE &&
    immutable !== true &&
    ownerReferences.length === 0 &&
    labels[DELIVERED_LABEL.name] === undefined &&
    labels[COPIED_FROM_LABEL] === undefined &&
    wanted.some(([label]) => label.startsWith(DESCRIBING)) &&
    wanted.every(([label, value]) => labels[label] === value || !label.startsWith(DESCRIBING))
  );
}

/** Returns the copy of a source, with the labels that identify its secret but without those of tools such as Helm. */
function toCopy(
  { metadata, data = {} }: KubeSecret,
  namespace: string,
  annotations: Readonly<Record<string, string>>,
): KubeSecret {
  const describing = Object.entries(metadata.labels ?? {}).filter(([label]) => label.startsWith(DESCRIBING));
  const labels = {
    ...Object.fromEntries(describing),
    [DELIVERED_LABEL.name]: DELIVERED_LABEL.value,
    [COPIED_FROM_LABEL]: metadata.namespace ?? "",
  };
  const described = { namespace, name: metadata.name, labels, annotations };
  return { apiVersion: "v1", kind: "Secret", type: IMAGE_PULL_TYPE, metadata: described, data };
}

function inTheWay({ namespace, name }: CopyTarget): SecretsError {
  return new SecretsError(
    "pod_conflict",
    `Secret ${name} in namespace ${namespace} is in the way: it is no copy of the webhook's, and its content is ` +
      `another. Delete it: kubectl delete secret ${name} --namespace ${namespace}`,
  );
}
