import type { Clock } from "@flyte-secrets/core";
import { SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeSecret, SECRETS, syncCopy } from "@flyte-secrets/kube";
import { DELIVERED_LABEL, type Lifetimes, retentionAnnotations, toDeliveredSecret } from "./delivered-secret.ts";
import type { DeliveredSecrets } from "./delivered-secrets.ts";
import { COPIED_FROM_LABEL, IMAGE_PULL_TYPE, imagePullDigest } from "./image-pull-secret.ts";
import type { ImagePullSources } from "./image-pull-sources.ts";

/** Where a copy is, or is to be. */
export interface CopyTarget {
  readonly namespace: string;
  /** That of its source. */
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
 * Makes the copy at a place like its source, or deletes it where that is gone ({@link syncCopy}). `podNeedsIt`: one is
 * made where there is none, and notes for how long it is needed. `sourceChanged`: only a copy that is there is written.
 */
export type SyncImagePullCopy = (place: CopyTarget, reason: "podNeedsIt" | "sourceChanged") => Promise<void>;

/**
 * A copy that Flyte's webhook has left is made one of ours when a pod needs it. For any other foreign Secret in the way
 * of a copy that is needed it throws `pod_conflict`, unless it has the same content.
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
      // What pulls the same is as good, whoever made it.
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

/** What a label of the source's begins with that says which secret it is. */
const DESCRIBING = "union.ai/";

/**
 * Whether a Secret is what Flyte's webhook makes in a pod's namespace: of the source's name, type and labels, nobody's
 * else, and changeable. Flyte's copies have no label of their own, never change and never go.
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

/** With the labels that describe the source, not those by which others look after it, such as Helm. */
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
