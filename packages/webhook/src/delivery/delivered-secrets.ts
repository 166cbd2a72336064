import type { Clock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeObject, type KubeResource, runInformer, SECRETS, type Secret } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { DELIVERED_LABEL, type DeliveredSecret, toDeliveredSecret } from "./delivered-secret.ts";
import { createKnownSecrets, type DeliveredCounts } from "./known-secrets.ts";

/** Secrets may have 1 MiB each, and a page is in memory as one text. */
const PAGE = 100;

const MAX_SECRETS = 10_000;

export interface DeliveredSecretsOptions {
  readonly client: Pick<KubeClient, "list" | "watch">;
  /** Undefined: all of them, in one watch. */
  readonly namespace: string | undefined;
  /** What is remembered of one namespace at the most (`webhook.writtenSecrets.maxSecrets`); 10,000 by default. */
  readonly maxSecrets?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Which Secrets of ours there are, whichever replica wrote them: a watch tells, so that one that somebody deletes is
 * written again.
 */
export interface DeliveredSecrets {
  /** Those of a namespace by name, for now: none while the watch is stale. */
  in(namespace: string): ReadonlyMap<string, DeliveredSecret>;
  /** Also while the watch is stale: for when the API server can't be asked either. */
  lastIn(namespace: string): ReadonlyMap<string, DeliveredSecret>;
  /** All of them; undefined while the watch is stale. */
  all(): readonly DeliveredSecret[] | undefined;
  /** Of one namespace, or of all, as the watch last told. */
  countsOf(namespace?: string): DeliveredCounts;
  /** What a write came to, before the watch tells; nothing where the watch has told of something later. */
  put(secret: Secret): void;
  /** What was known of it turned out to be wrong. */
  forget(reference: { readonly namespace: string; readonly name: string }): void;
  /** Calls `listener` when the watch tells of a copy of an image-pull Secret. */
  onCopies(listener: () => void): void;
  /** Resolves once it knows of all. */
  readonly synced: Promise<void>;
  close(): Promise<void>;
}

export function watchDeliveredSecrets({ namespace, ...options }: DeliveredSecretsOptions): DeliveredSecrets {
  const known = createKnownSecrets(options.maxSecrets ?? MAX_SECRETS);
  const listeners: (() => void)[] = [];
  const put = ({ metadata, written }: InformedSecret) => {
    if (written === undefined) known.remove(metadata);
    else known.put(written);
    if (written?.copy !== undefined) for (const listener of listeners) listener();
  };
  const informer = runInformer({
    ...options,
    resource: FOLLOWED,
    pageSize: PAGE,
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
      // What the watch has told meanwhile is newer: also that it is gone, when there is nothing of that name.
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

/**
 * A Secret with what is kept of it: values, and whatever else others write into one, are dropped as soon as they are
 * read.
 */
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
