import { isDeepStrictEqual } from "node:util";
import {
  DOMAIN_LABEL,
  MANAGED_LABEL,
  managedForm,
  managedLabels,
  PROJECT_LABEL,
  type SecretRecord,
  type SecretValue,
} from "@flyte-secrets/core";
import type { KubeObject, KubeResource, KubeSecret, ObjectMeta } from "@flyte-secrets/kube";
import { OWNED_SECRETS, type OwnedSecret } from "./foreign-owner.ts";
import { managedId, toManagedSecret, toRecord } from "./managed-secret.ts";
import { describeMisnamed, type ManagedSecretProblem } from "./misnamed-secret.ts";

/** A managed Secret without its values: what is kept of it in memory. */
export interface ManagedRecord extends KubeObject {
  readonly metadata: Pick<ObjectMeta, "name" | "resourceVersion">;
  /** Undefined if the Secret holds no secret. */
  readonly record: SecretRecord | undefined;
  /** Why it holds none. */
  readonly problem: ManagedSecretProblem | undefined;
  /** Domain and project by which a label selector finds it; empty for a label that is missing or another secret's. */
  readonly domain: string;
  readonly project: string;
  /** Whether something else keeps it (S-17). */
  readonly isOwned: boolean;
  /** Whether it has nothing that the service would not write itself, so that it can be replaced unread. */
  readonly isPlain: boolean;
}

/** Managed Secrets of a cluster, of which the values are dropped as soon as they are received. */
export function managedRecords(clusterName: string): KubeResource<ManagedRecord> {
  return { ...OWNED_SECRETS, decode: (value) => toManagedRecord(OWNED_SECRETS.decode(value), clusterName) };
}

export function toManagedRecord(secret: OwnedSecret, clusterName: string): ManagedRecord {
  const { apiVersion, kind, metadata, owner } = secret;
  const { name, resourceVersion, labels = {} } = metadata;
  const id = managedId(secret);
  const wanted = id === undefined ? {} : managedLabels(id);
  const selectable = (label: string) => (labels[label] === wanted[label] ? (wanted[label] ?? "") : "");
  const record = id && toRecord(id, secret, clusterName);
  return {
    apiVersion,
    kind,
    metadata: { name, ...(resourceVersion !== undefined && { resourceVersion }) },
    record,
    problem: record === undefined ? describeMisnamed(secret) : undefined,
    domain: selectable(DOMAIN_LABEL),
    project: selectable(PROJECT_LABEL),
    isOwned: owner !== undefined,
    isPlain: record !== undefined && isPlain(secret, record),
  };
}

/**
 * The Secret with another value in place of the version that is known. Undefined if it has something that is not known,
 * or is a system secret, so that it has to be read.
 */
export function replacementOf(
  { isPlain, record, metadata: { resourceVersion } }: ManagedRecord,
  value: SecretValue,
  namespace: string,
): KubeSecret | undefined {
  if (!isPlain || record === undefined || resourceVersion === undefined) return undefined;
  const { metadata, ...rest } = toManagedSecret(record.id, { value, type: record.type }, namespace);
  return { ...rest, metadata: { ...metadata, resourceVersion } };
}

/** Whether a Secret has the label by which the watch selects. */
export function isManaged({ metadata }: OwnedSecret): boolean {
  return metadata.labels?.[MANAGED_LABEL] === "true";
}

/** Metadata that the API server keeps when a Secret is replaced. */
const OF_API_SERVER = new Set(["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "labels"]);

function isPlain(
  { metadata, type = "Opaque", data = {}, immutable, owner }: OwnedSecret,
  { id, type: kind }: SecretRecord,
) {
  return (
    owner === undefined &&
    type === "Opaque" &&
    immutable !== true &&
    Object.keys(data).length === 1 &&
    Object.keys(metadata).every((field) => OF_API_SERVER.has(field)) &&
    isDeepStrictEqual(metadata.labels, managedForm(id, kind).labels)
  );
}
