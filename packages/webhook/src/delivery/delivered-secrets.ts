import type { Clock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeObject, type KubeResource, type KubeSecret, runInformer, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { DELIVERED_LABEL, type DeliveredSecret, toDeliveredSecret } from "./delivered-secret.ts";
import { createDeliveredSecretIndex, type DeliveredCounts } from "./delivered-secret-index.ts";

const MAX_SECRETS = 10_000;

export interface DeliveredSecretsOptions {
  readonly client: Pick<KubeClient, "list" | "watch">;
  /** Undefined: all of them, in one watch. */
  readonly namespace: string | undefined;
  /** How many Secrets of one namespace are known at most (`webhook.writtenSecrets.maxSecrets`). Default: 10,000. */
  readonly maxSecrets?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The delivered Secrets of all replicas, as a watch reports them. An admission therefore writes a deleted one again.
 */
export interface DeliveredSecrets {
  /** Those of a namespace, by name; empty while the watch is stale. */
  in(namespace: string): ReadonlyMap<string, DeliveredSecret>;
  /** Like `in`, but with the last known ones while the watch is stale: for when the API server is unreachable too. */
  lastIn(namespace: string): ReadonlyMap<string, DeliveredSecret>;
  /** All of them; undefined while the watch is stale. */
  all(): readonly DeliveredSecret[] | undefined;
  /** The counts of one namespace or of all, as the watch last reported them. */
  countsOf(namespace?: string): DeliveredCounts;
  /** Stores the result of a write, ahead of the watch. Ignored if the watch has reported something later. */
  put(secret: KubeSecret): void;
  /** Removes a Secret that turned out to be different from what is known. */
  forget(reference: { readonly namespace: string; readonly name: string }): void;
  /** Calls `listener` when the watch reports a copy of an image-pull Secret. */
  onCopies(listener: () => void): void;
  /** Resolves after the first list. */
  readonly synced: Promise<void>;
  close(): Promise<void>;
}

/** Starts the watch. */
export function watchDeliveredSecrets({ namespace, ...options }: DeliveredSecretsOptions): DeliveredSecrets {
  const known = createDeliveredSecretIndex(options.maxSecrets ?? MAX_SECRETS);
  const listeners: (() => void)[] = [];
  const put = ({ metadata, written }: InformedSecret) => {
    if (written === undefined) known.remove(metadata);
    else known.put(written);
    if (written?.copy !== undefined) for (const listener of listeners) listener();
  };
  const informer = runInformer({
    ...options,
    resource: FOLLOWED,
    selector: { namespace, labelSelector: `${DELIVERED_LABEL.name}=${DELIVERED_LABEL.value}` },
    handler: {
      onReplace(secrets) {
        known.clear();
        for (const secret of secrets) put(secret);
      },
      onUpsert: put,
      onDelete: ({ metadata }) => known.remove(metadata),
    },
  });

  return {
    in: (namespace) => (informer.isFresh() ? known.in(namespace) : UNKNOWN),
    lastIn: known.in,
    all: () => (informer.isFresh() ? known.all() : undefined),
    countsOf: known.countsOf,
    put(secret) {
      const { namespace = "", name, resourceVersion } = secret.metadata;
      // What the watch has reported meanwhile is newer, a deletion included: then the name is unknown here.
      const last = known.in(namespace).get(name)?.resourceVersion ?? informer.lastSyncResourceVersion();
      if (isAtLeast(last, resourceVersion)) return;
      const written = toDeliveredSecret(secret);
      if (written === undefined) known.remove(secret.metadata);
      else known.put(written);
    },
    onCopies: (listener) => void listeners.push(listener),
    forget: known.remove,
    synced: informer.synced,
    close: () => informer.close(),
  };
}

/**
 * Whether a resource version is `other` or later: the API server's are decimal numbers
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions). False where one of them is unknown,
 * or none of these.
 */
function isAtLeast(version: string | undefined, other: string | undefined): boolean {
  if (version === undefined || other === undefined || !DECIMAL.test(version) || !DECIMAL.test(other)) return false;
  return version.length === other.length ? version >= other : version.length > other.length;
}

const DECIMAL = /^[1-9]\d*$/;

const UNKNOWN: ReadonlyMap<string, DeliveredSecret> = new Map();

/** What is kept of a Secret: its values, and whatever else others write into it, are dropped when it is decoded. */
interface InformedSecret extends KubeObject {
  readonly written: DeliveredSecret | undefined;
}

const FOLLOWED: KubeResource<InformedSecret> = {
  ...SECRETS,
  decode(value) {
    const secret = SECRETS.decode(value);
    const { apiVersion, kind } = secret;
    const { namespace = "", name, resourceVersion = "" } = secret.metadata;
    return { apiVersion, kind, metadata: { namespace, name, resourceVersion }, written: toDeliveredSecret(secret) };
  },
};
