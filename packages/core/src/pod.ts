import { SecretsError } from "./errors.ts";

/**
 * A pod as JSON gives it. Only what injection reads is typed; every other field, also one that no Kubernetes version has
 * yet, is carried along untouched.
 */
export interface Pod {
  readonly metadata?: PodMetadata | null;
  readonly spec: PodSpec;
  readonly [field: string]: unknown;
}

export interface PodMetadata {
  readonly namespace?: string | null;
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly annotations?: Readonly<Record<string, string>> | null;
  readonly ownerReferences?: readonly OwnerReference[] | null;
  readonly [field: string]: unknown;
}

/** `metav1.OwnerReference`. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly [field: string]: unknown;
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[] | null;
  readonly volumes?: readonly Volume[] | null;
  readonly [field: string]: unknown;
}

export interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[] | null;
  readonly env?: readonly EnvVar[] | null;
  readonly volumeMounts?: readonly VolumeMount[] | null;
  readonly [field: string]: unknown;
}

/** A variable; without `value` and `valueFrom` it is empty. */
export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: SecretKeyReference; readonly [field: string]: unknown } | null;
  readonly [field: string]: unknown;
}

/** One data key of a Kubernetes Secret in the pod's namespace. Unless it is optional, the container waits for it. */
export interface SecretKeyReference {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly [field: string]: unknown;
}

export interface Volume {
  readonly name: string;
  readonly emptyDir?: { readonly medium?: string; readonly [field: string]: unknown } | null;
  readonly secret?: SecretVolume | null;
  readonly projected?: {
    readonly sources?: readonly ProjectedSource[] | null;
    readonly defaultMode?: number;
    readonly [field: string]: unknown;
  } | null;
  readonly [field: string]: unknown;
}

export interface SecretVolume {
  readonly secretName?: string;
  readonly items?: readonly VolumeItem[] | null;
  readonly optional?: boolean;
  readonly defaultMode?: number;
  readonly [field: string]: unknown;
}

export interface ProjectedSource {
  readonly secret?: {
    readonly name?: string;
    readonly items?: readonly VolumeItem[] | null;
    readonly optional?: boolean;
    readonly [field: string]: unknown;
  } | null;
  readonly [field: string]: unknown;
}

/** A data key of a Secret and the path of its file within the volume. */
export interface VolumeItem {
  readonly key: string;
  readonly path: string;
  readonly mode?: number;
}

/**
 * Takes what a JSON or YAML parser gave for a pod and returns the same object. Throws `invalid_argument` naming the first
 * field that injection reads and that has the wrong type. Other fields are not looked at: they are the API server's business.
 */
export function parsePod(value: unknown): Pod {
  const fault = POD(value);
  if (fault !== undefined) throw new SecretsError("invalid_argument", `pod${fault}`);
  // Everything that the type promises and injection reads has just been checked.
  return value as Pod;
}

/** Undefined when the value is right, else where it isn't and what it must be, such as `.spec must be an object`. */
type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === "string" ? undefined : " must be a string");

function object(fields: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(fields);
  return (value) => {
    if (!isObject(value)) return " must be an object";
    for (const [name, check] of entries) {
      const fault = check(value[name]);
      if (fault !== undefined) return `.${name}${fault}`;
    }
    return undefined;
  };
}

function list(item: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return " must be a list";
    for (let index = 0; index < value.length; index++) {
      const fault = item(value[index]);
      if (fault !== undefined) return `[${index}]${fault}`;
    }
    return undefined;
  };
}

function optional(check: Check): Check {
  return (value) => (value === undefined || value === null ? undefined : check(value));
}

const textMap: Check = (value) => {
  if (!isObject(value)) return " must be an object";
  for (const name of Object.keys(value)) {
    const fault = text(value[name]);
    if (fault !== undefined) return `[${name}]${fault}`;
  }
  return undefined;
};

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const ITEMS = optional(list(object({ key: text, path: text })));
const CONTAINER = object({
  name: text,
  image: optional(text),
  command: optional(list(text)),
  env: optional(list(object({ name: text, value: optional(text), valueFrom: optional(object({})) }))),
  volumeMounts: optional(list(object({ name: text, mountPath: text }))),
});
const VOLUME = object({
  name: text,
  emptyDir: optional(object({})),
  secret: optional(object({ items: ITEMS })),
  projected: optional(object({ sources: optional(list(object({ secret: optional(object({ items: ITEMS })) }))) })),
});
const POD = object({
  metadata: optional(
    object({
      namespace: optional(text),
      labels: optional(textMap),
      annotations: optional(textMap),
      ownerReferences: optional(list(object({ apiVersion: text, kind: text, name: text, uid: text }))),
    }),
  ),
  spec: object({
    containers: list(CONTAINER),
    initContainers: optional(list(CONTAINER)),
    volumes: optional(list(VOLUME)),
  }),
});
