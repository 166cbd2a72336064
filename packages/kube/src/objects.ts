/** A Kubernetes object. Members that are not declared are kept all the same. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** The version that was read: a write with it fails with `conflict` once the object has changed. */
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly OwnerReference[];
}

/** An object whose deletion deletes this one too. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A kind of object and its path on the API server. */
export interface KubeResource<T extends KubeObject> {
  /** `v1` or `group/version`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** The name in addresses and permissions, such as `secrets`. */
  readonly plural: string;
  /** The object as the API server sends it. Throws {@link NoObjectError} for anything else. */
  decode(value: unknown): T;
}

/** What was answered has no shape of a Kubernetes object: whoever answered was no API server. */
export class NoObjectError extends Error {
  override readonly name = "NoObjectError";

  constructor() {
    super("no Kubernetes object");
  }
}

/** The answer as the object or list that it has to be; both have metadata. Throws {@link NoObjectError} for others. */
export function asObject<T extends { readonly metadata: object }>(value: unknown): T {
  if (!hasMetadata(value)) throw new NoObjectError();
  return value as T;
}

function hasMetadata(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("metadata" in value)) return false;
  return typeof value.metadata === "object" && value.metadata !== null;
}

/** Names a kind of object for {@link KubeClient}. */
export function defineResource<T extends KubeObject>(names: Omit<KubeResource<T>, "decode">): KubeResource<T> {
  const { apiVersion, kind } = names;
  return {
    ...names,
    decode(value) {
      // The API server validates what it stores, so the object has the kind's shape.
      const object = asObject<T>(value);
      // Managed fields are a third of many objects. A write without them leaves them unchanged.
      const { managedFields: _, ...metadata } = object.metadata as T["metadata"] & { managedFields?: unknown };
      return { ...object, apiVersion, kind, metadata };
    },
  };
}

/** https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/ */
export interface KubeSecret extends KubeObject {
  readonly type?: string;
  /** Values in base64, by key. */
  readonly data?: Readonly<Record<string, string>>;
  /** No update is possible, only delete and create. */
  readonly immutable?: boolean;
}

export const SECRETS = defineResource<KubeSecret>({ apiVersion: "v1", kind: "Secret", plural: "secrets" });

export const NAMESPACES = defineResource<KubeObject>({ apiVersion: "v1", kind: "Namespace", plural: "namespaces" });

/** Which object, or with no name which collection. */
export interface ObjectReference {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/**
 * The address of an object or a collection
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris).
 */
export function resourcePath(
  resource: Pick<KubeResource<KubeObject>, "apiVersion" | "plural">,
  { namespace, name }: ObjectReference,
): string {
  const root = resource.apiVersion.includes("/") ? "/apis" : "/api";
  const parts = [
    root,
    resource.apiVersion,
    ...(namespace === undefined ? [] : ["namespaces", encodeURIComponent(namespace)]),
    resource.plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
  ];
  return parts.join("/");
}
