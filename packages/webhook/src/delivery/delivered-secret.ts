import { isDeliveredSecretName } from "@flyte-secrets/core";
import type { KubeSecret, OwnerReference } from "@flyte-secrets/kube";
import { COPIED_FROM_LABEL, imagePullDigest, isImagePullSecret } from "./image-pull-secret.ts";

/**
 * The label of all Secrets that the webhook writes. One counts as delivered if it also has {@link NEEDED_UNTIL}, and
 * either a delivered Secret's name and `immutable`, or the label of a copy: users can write labels too.
 */
export const DELIVERED_LABEL = { name: "app.flyte.org/managed-by", value: "flyte-secrets-webhook" } as const;

/** The annotation until when a Secret stays that no pod names: its pods may not exist yet. */
export const NEEDED_UNTIL = "app.flyte.org/needed-until";

/** The annotation whether a sweeper has seen a pod that names the Secret. Earlier versions did not write it. */
export const NAMED_BY_POD = "app.flyte.org/named-by-pod";

/** How long a delivered Secret stays that no pod names. */
export interface Lifetimes {
  /** Since the last admission that needed it, or the last sweep that saw its pod (`unusedFor`). */
  readonly unusedMs: number;
  /**
   * Since the last admission that needed it, if no pod was ever seen that names it (`unnamedFor`): refused pods leave
   * no Secrets behind for longer.
   */
  readonly unnamedMs: number;
}

/** The annotations that keep a Secret from now on for the time that `lifetimes` give it. */
export function retentionAnnotations(
  now: number,
  isNamed: boolean,
  { unusedMs, unnamedMs }: Lifetimes,
): Record<string, string> {
  const until = now + (isNamed ? unusedMs : unnamedMs);
  return { [NEEDED_UNTIL]: new Date(until).toISOString(), [NAMED_BY_POD]: String(isNamed) };
}

/** Whether an admission has to renew the annotations: once three quarters of the shorter lifetime or less are left. */
export function isRetentionDue({ neededUntil }: DeliveredSecret, now: number, { unnamedMs }: Lifetimes): boolean {
  return neededUntil - now <= unnamedMs * 0.75;
}

const MAX_OWNERS = 8;
const MAX_TEXT = 253;

/**
 * Whether a Secret may have these owners: at most eight, each text of at most 253 characters. The creator of a pod
 * chooses how many there are and how long, and neither the limit of a namespace nor that of memory counts them. Pods
 * of Kubernetes' own controllers have one.
 */
export function mayOwn(owners: readonly Pick<OwnerReference, "apiVersion" | "kind" | "name" | "uid">[]): boolean {
  const texts = owners.flatMap(({ apiVersion, kind, name, uid }) => [apiVersion, kind, name, uid]);
  return owners.length <= MAX_OWNERS && texts.every(({ length }) => length <= MAX_TEXT);
}

/** A delivered Secret in a cluster, without its values. */
export interface DeliveredSecret {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** The uids of its owners, with which Kubernetes deletes it. */
  readonly owners: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly neededUntil: number;
  /** See {@link NAMED_BY_POD}; undefined for one of an earlier version, which may be deleted with its owners. */
  readonly isNamed: boolean | undefined;
  /** The size of its values, estimated from their base64. */
  readonly bytes: number;
  /** Source and digest of a copy of an image-pull Secret. */
  readonly copy?: { readonly from: string; readonly digest: string };
}

const NO_OWNERS: ReadonlySet<string> = new Set();

/** Undefined for a Secret that the webhook has not written, or that is being deleted. */
export function toDeliveredSecret(secret: KubeSecret): DeliveredSecret | undefined {
  const { metadata, immutable, data = {} } = secret;
  const { namespace = "", name, uid, resourceVersion, labels, annotations, ownerReferences = [] } = metadata;
  const neededUntil = Date.parse(annotations?.[NEEDED_UNTIL] ?? "");
  const isLabelled = labels?.[DELIVERED_LABEL.name] === DELIVERED_LABEL.value && !Number.isNaN(neededUntil);
  const from = isImagePullSecret(secret) ? labels?.[COPIED_FROM_LABEL] : undefined;
  if (!isLabelled || (from === undefined && !(isDeliveredSecretName(name) && immutable === true))) return undefined;
  if (metadata.deletionTimestamp !== undefined || !mayOwn(ownerReferences)) return undefined;
  const owners = ownerReferences.length === 0 ? NO_OWNERS : new Set(ownerReferences.map((owner) => owner.uid));
  const named = annotations?.[NAMED_BY_POD];
  const isNamed = named === undefined ? undefined : named === "true";
  const bytes = Object.values(data).reduce((sum, { length }) => sum + Math.floor((length * 3) / 4), 0);
  const copy = from !== undefined && { copy: { from, digest: imagePullDigest(secret) } };
  return { namespace, name, uid, resourceVersion, owners, neededUntil, isNamed, bytes, ...copy };
}
