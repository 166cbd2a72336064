import { isWrittenSecretName } from "@flyte-secrets/core";
import type { Secret } from "../../kube/kube-object.ts";
import { COPIED_FROM_LABEL, imagePullDigest, isImagePullSecret } from "./image-pull-secret.ts";

/**
 * What all Secrets that the webhook writes have; a user's is told from them by this, the annotation, its name, and its being immutable
 * or a copy.
 */
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
  /** Of a copy of an image-pull Secret. */
  readonly copy?: { readonly from: string; readonly digest: string };
}

/** Undefined for a Secret that is not one of ours, or is on its way out. */
export function toWrittenSecret(secret: Secret): WrittenSecret | undefined {
  const { metadata, immutable } = secret;
  const { namespace = "", name, uid, resourceVersion, labels, annotations, ownerReferences = [] } = metadata;
  const neededUntil = Date.parse(annotations?.[NEEDED_UNTIL] ?? "");
  const isLabelled = labels?.[WRITTEN_LABEL.name] === WRITTEN_LABEL.value && !Number.isNaN(neededUntil);
  const from = isImagePullSecret(secret) ? labels?.[COPIED_FROM_LABEL] : undefined;
  if (!isLabelled || (from === undefined && !(isWrittenSecretName(name) && immutable === true))) return undefined;
  if (metadata.deletionTimestamp !== undefined) return undefined;
  const owners = new Set(ownerReferences.map((owner) => owner.uid));
  const copy = from !== undefined && { copy: { from, digest: imagePullDigest(secret) } };
  return { namespace, name, uid, resourceVersion, owners, neededUntil, ...copy };
}
