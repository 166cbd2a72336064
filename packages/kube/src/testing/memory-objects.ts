import { randomUUID } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import type { Preconditions, Selector } from "../client.ts";
import type { KubeObject, ObjectReference } from "../objects.ts";

/** Where an object of one kind is kept: in etcd's order, which is that of lists. */
export function keyOf(kind: string, { namespace = "", name = "" }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`;
}

/** The object with what an API server adds to one that is new, or has added to `old`. */
export function stamped(object: KubeObject, old: KubeObject | undefined): KubeObject {
  const { uid = randomUUID() as string, creationTimestamp = secondsNow() } = { ...old?.metadata, ...object.metadata };
  return { ...object, metadata: { ...object.metadata, uid, creationTimestamp } };
}

const secondsNow = () => `${new Date().toISOString().slice(0, 19)}Z`;

/** By equality and inequality alone. */
export function isSelected(
  object: KubeObject,
  { namespace, labelSelector = "", fieldSelector = "" }: Selector,
): boolean {
  const { labels = {}, name } = object.metadata;
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  const fields = { type: "type" in object ? String(object.type) : "", "metadata.name": name };
  return holds(labelSelector, labels) && holds(fieldSelector, fields);
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#equality-based-requirement */
function holds(selector: string, values: Readonly<Record<string, string>>): boolean {
  return selector.split(",").every((requirement) => {
    if (requirement === "") return true;
    const [, name = "", operator, value] = /^([^!=]+)(!=|==?)(.*)$/.exec(requirement) ?? [];
    if (operator === undefined) throw new SecretsError("invalid_argument", `not understood: ${requirement}`);
    return (values[name] === value) === (operator !== "!=");
  });
}

/** Throws `conflict` unless the object is in the state that a write names. */
export function assertPreconditions({ metadata }: KubeObject, { uid, resourceVersion }: Preconditions = {}): void {
  const isAsNamed =
    (uid ?? metadata.uid) === metadata.uid &&
    (resourceVersion || metadata.resourceVersion) === metadata.resourceVersion;
  if (!isAsNamed) throw new SecretsError("conflict", "somebody else changed it");
}

/** Throws `invalid_argument` for what may not change: the type of a Secret, and the content of an immutable one. */
export function assertMayBecome(before: KubeObject & Content, after: KubeObject & Content): void {
  const isChanged = (field: keyof Content) => JSON.stringify(before[field]) !== JSON.stringify(after[field]);
  const typeOf = ({ type = "Opaque" }: Content) => type;
  if (
    typeOf(before) !== typeOf(after) ||
    (before.immutable === true && (isChanged("immutable") || isChanged("data")))
  ) {
    throw new SecretsError("invalid_argument", "what is immutable may not change");
  }
}

interface Content {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: object;
}

/** RFC 7386. */
export function mergePatch(target: object, patch: object): object {
  const merged: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const old = merged[key];
    if (value === undefined) continue;
    if (value === null) delete merged[key];
    else if (typeof value === "object" && !Array.isArray(value)) merged[key] = mergePatch(Object(old ?? {}), value);
    else merged[key] = value;
  }
  return merged;
}
