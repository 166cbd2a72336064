import { isWrittenSecretName } from "@flyte-secrets/core";
import type { Secret } from "../../kube/kube-object.ts";

/** What all Secrets that the webhook writes have; a user's is told from them by this, the annotation, its name and its being immutable. */
export const WRITTEN_LABEL = { name: "app.flyte.org/managed-by", value: "flyte-secrets-webhook" } as const;

/** Until when a Secret without owners stays though no pod names it: the pods that it was written for may not be there yet. */
export const NEEDED_UNTIL = "app.flyte.org/needed-until";

/** A Secret of ours in a cluster, without its content. */
export interface WrittenSecret {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** The uids of its owners. With none, it is the sweeper's. */
  readonly owners: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly neededUntil: number;
}

/** Undefined for a Secret that is not one of ours, or is on its way out. */
export function toWrittenSecret({ metadata, immutable }: Secret): WrittenSecret | undefined {
  const { namespace = "", name, uid, resourceVersion, labels, annotations, ownerReferences = [] } = metadata;
  const neededUntil = Date.parse(annotations?.[NEEDED_UNTIL] ?? "");
  const isLabelled = labels?.[WRITTEN_LABEL.name] === WRITTEN_LABEL.value && !Number.isNaN(neededUntil);
  if (!isWrittenSecretName(name) || !isLabelled || immutable !== true) return undefined;
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const owners = new Set(ownerReferences.map((owner) => owner.uid));
  return { namespace, name, uid, resourceVersion, owners, neededUntil };
}
