/**
 * A pod as JSON gives it. Only what injection reads is typed; every other field, also one that no Kubernetes version
 * has yet, is carried along untouched.
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
  readonly imagePullSecrets?: readonly { readonly name?: string; readonly [field: string]: unknown }[] | null;
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

/**
 * One data key of a Kubernetes Secret in the pod's namespace. Unless it is optional, the container waits for it to
 * exist.
 */
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
