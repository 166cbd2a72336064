import { isWrittenSecretName } from "@flyte-secrets/core";
import type { Secret } from "../../kube/kube-object.ts";

/** What all Secrets that the webhook writes have; a user's Secret is told from them by this, its name and its being immutable. */
export const WRITTEN_LABEL = { name: "app.flyte.org/managed-by", value: "flyte-secrets-webhook" } as const;

/** When a pod was last admitted that needs the Secret; not kept up for one that has owners. */
export const NEEDED_ANNOTATION = "app.flyte.org/last-needed";

/** A Secret of ours in a cluster, without its content. */
export interface WrittenSecret {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** The uids of its owners. With none, it is the sweeper's. */
  readonly owners: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly neededAt: number;
}

/** Undefined for a Secret that is not one of ours, or is on its way out. */
export function toWrittenSecret({ metadata, immutable }: Secret): WrittenSecret | undefined {
  const { namespace = "", name, uid, resourceVersion, labels, annotations, ownerReferences = [] } = metadata;
  const isOurs =
    isWrittenSecretName(name) && labels?.[WRITTEN_LABEL.name] === WRITTEN_LABEL.value && immutable === true;
  if (!isOurs || metadata.deletionTimestamp !== undefined) return undefined;
  const needed = Date.parse(annotations?.[NEEDED_ANNOTATION] ?? "");
  const created = Date.parse(metadata.creationTimestamp ?? "");
  const neededAt = Number.isNaN(needed) ? created : needed;
  return {
    namespace,
    name,
    uid,
    resourceVersion,
    owners: new Set(ownerReferences.map((owner) => owner.uid)),
    neededAt,
  };
}
