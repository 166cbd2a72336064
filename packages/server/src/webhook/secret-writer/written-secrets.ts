import type { Logger } from "pino";
import type { Clock } from "../../clock.ts";
import { followObjects } from "../../kube/follow-objects.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { type KubeReference, SECRETS, type Secret } from "../../kube/kube-object.ts";
import { toWrittenSecret, WRITTEN_LABEL, type WrittenSecret } from "./written-secret.ts";

/** The API server says at least every 75 s that nothing changed, so a watch that is silent for longer may be dead. */
const SILENT_MS = 100_000;

export interface WrittenSecretsOptions {
  readonly client: Pick<KubeClient, "list" | "watch">;
  /** Undefined: all of them, in one watch. */
  readonly namespace: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Which Secrets of ours there are, whichever replica wrote them: a watch tells, so that one that somebody deletes is written again. */
export interface WrittenSecrets {
  /** Undefined also while the watch is not to be trusted. */
  find(reference: { readonly namespace: string; readonly name: string }): WrittenSecret | undefined;
  /** Also while the watch is not to be trusted: for when the API server can't be asked either. */
  findLast(reference: { readonly namespace: string; readonly name: string }): WrittenSecret | undefined;
  /** All of them; undefined while the watch is not to be trusted. */
  all(): readonly WrittenSecret[] | undefined;
  /** What a write came to, before the watch tells. */
  put(secret: Secret): void;
  /** What was known of it turned out to be wrong. */
  forget(reference: { readonly namespace: string; readonly name: string }): void;
  /** Calls `listener` when the watch tells of a copy of an image-pull Secret. */
  onCopies(listener: () => void): void;
  /** Resolves once it knows of all. */
  readonly synced: Promise<void>;
  close(): Promise<void>;
}

export function followWrittenSecrets({ namespace, ...options }: WrittenSecretsOptions): WrittenSecrets {
  const known = new Map<string, WrittenSecret>();
  const listeners: (() => void)[] = [];
  const keyOf = ({ namespace, name }: KubeReference) => `${namespace}/${name}`;
  const put = (secret: Secret) => {
    const written = toWrittenSecret(secret);
    if (written === undefined) known.delete(keyOf(secret.metadata));
    else known.set(keyOf(written), written);
    return written;
  };
  const onPut = (secret: Secret) => {
    if (put(secret)?.copy !== undefined) for (const listener of listeners) listener();
  };
  const follower = followObjects({
    ...options,
    resource: SECRETS,
    selection: { namespace, labelSelector: `${WRITTEN_LABEL.name}=${WRITTEN_LABEL.value}` },
    sink: {
      replace(secrets) {
        known.clear();
        for (const secret of secrets) onPut(secret);
      },
      put: onPut,
      remove: ({ metadata }) => void known.delete(keyOf(metadata)),
    },
  });
  const isTrusted = () => follower.problem() === undefined && follower.silentMs() < SILENT_MS;

  return {
    find: (reference) => (isTrusted() ? known.get(keyOf(reference)) : undefined),
    findLast: (reference) => known.get(keyOf(reference)),
    all: () => (isTrusted() ? [...known.values()] : undefined),
    put: (secret) => void put(secret),
    onCopies: (listener) => void listeners.push(listener),
    forget: (reference) => void known.delete(keyOf(reference)),
    synced: follower.synced,
    close: () => follower.close(),
  };
}
