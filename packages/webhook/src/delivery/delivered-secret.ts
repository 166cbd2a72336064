import { isDeliveredSecretName } from "@flyte-secrets/core";
import type { OwnerReference, Secret } from "@flyte-secrets/kube";
import { COPIED_FROM_LABEL, imagePullDigest, isImagePullSecret } from "./image-pull-secret.ts";

/**
 * What all Secrets that the webhook writes have; a user's is told from them by this, the annotation, its name, and its
 * being immutable or a copy.
 */
export const DELIVERED_LABEL = { name: "app.flyte.org/managed-by", value: "flyte-secrets-webhook" } as const;

/** Until when a Secret stays though no pod names it: the pods that it was written for may not be there yet. */
export const NEEDED_UNTIL = "app.flyte.org/needed-until";

/** Whether a sweeper has seen a pod that names a Secret. Earlier versions did not note it. */
export const NAMED_BY_POD = "app.flyte.org/named-by-pod";

/** How long a Secret of ours stays that no pod names. */
export interface Lifetimes {
  /** After the last admission with it, or the last pod that a sweeper saw (`unusedFor`). */
  readonly unusedMs: number;
  /**
   * After the last admission with it, where no pod was ever seen that names it (`unnamedFor`): nothing is left by pods
   * that are refused.
   */
  readonly unnamedMs: number;
}

/** The annotations of one that is needed now. */
export function needNotes(now: number, isNamed: boolean, { unusedMs, unnamedMs }: Lifetimes): Record<string, string> {
  const until = now + (isNamed ? unusedMs : unnamedMs);
  return { [NEEDED_UNTIL]: new Date(until).toISOString(), [NAMED_BY_POD]: String(isNamed) };
}

/** Whether an admission has to note its need of one: from three quarters of the shorter time before its end. */
export function isNoteDue({ neededUntil }: DeliveredSecret, now: number, { unnamedMs }: Lifetimes): boolean {
  return neededUntil - now <= unnamedMs * 0.75;
}

const MAX_OWNERS = 8;
const MAX_TEXT = 253;

/**
 * Whether a Secret may carry these owners, which are as many and as long as whoever creates a pod writes them, and
 * which neither etcd's share of a namespace nor the memory for it counts: eight at the most, each text of 253
 * characters. In Kubernetes pods have one.
 */
export function mayOwn(owners: readonly Pick<OwnerReference, "apiVersion" | "kind" | "name" | "uid">[]): boolean {
  const texts = owners.flatMap(({ apiVersion, kind, name, uid }) => [apiVersion, kind, name, uid]);
  return owners.length <= MAX_OWNERS && texts.every(({ length }) => length <= MAX_TEXT);
}

/** A Secret of ours in a cluster, without its content. */
export interface DeliveredSecret {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** The uids of its owners, with which it goes too. */
  readonly owners: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly neededUntil: number;
  /** See {@link NAMED_BY_POD}; undefined for one of an earlier version, which goes with its owners where it has any. */
  readonly isNamed: boolean | undefined;
  /** Of its values, about. */
  readonly bytes: number;
  /** Of a copy of an image-pull Secret. */
  readonly copy?: { readonly from: string; readonly digest: string };
}

const NO_OWNERS: ReadonlySet<string> = new Set();

/** Undefined for a Secret that is not one of ours, or is on its way out. */
export function toDeliveredSecret(secret: Secret): DeliveredSecret | undefined {
  const { metadata, immutable, data = {} } = secret;
  const { namespace = "", name, uid, resourceVersion, labels, annotations, ownerReferences = [] } = metadata;
  const neededUntil = Date.parse(annotations?.[NEEDED_UNTIL] ?? "");
  const isLabelled = labels?.[DELIVERED_LABEL.name] === DELIVERED_LABEL.value && !Number.isNaN(neededUntil);
  const from = isImagePullSecret(secret) ? labels?.[COPIED_FROM_LABEL] : undefined;
  if (!isLabelled || (from === undefined && !(isDeliveredSecretName(name) && immutable === true))) return undefined;
  if (metadata.deletionTimestamp !== undefined || !mayOwn(ownerReferences)) return undefined;
  const owners = ownerReferences.length === 0 ? NO_OWNERS : new Set(ownerReferences.map((owner) => owner.uid));
  const noted = annotations?.[NAMED_BY_POD];
  const isNamed = noted === undefined ? undefined : noted === "true";
  const bytes = Object.values(data).reduce((sum, { length }) => sum + Math.floor((length * 3) / 4), 0);
  const copy = from !== undefined && { copy: { from, digest: imagePullDigest(secret) } };
  return { namespace, name, uid, resourceVersion, owners, neededUntil, isNamed, bytes, ...copy };
}
