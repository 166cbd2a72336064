import type { Container, EnvVar, Volume, VolumeMount } from "./pod.ts";

/**
 * One change of a pod, made by `applyEdits` alone. Each kind defines its position in the pod's lists, and when the pod
 * counts as having it already.
 *
 * "All containers" are the containers and init containers of the pod, including those that an earlier edit of the list
 * added. `applyEdits` throws `pod_conflict` for a part of the pod that has the name of one of ours and another content.
 */
export type PodEdit =
  /** At the front of the list in all containers, where later variables can refer to it. Replaces those of that name. */
  | { readonly kind: "env"; readonly variable: EnvVar }
  /** At the end, in all containers that mount no volume of that name. */
  | { readonly kind: "mount"; readonly mount: VolumeMount }
  /**
   * At the end, once for each name. An existing volume counts as ours if it is a memory `emptyDir` like this one, a
   * `secret` volume of the same Secret (missing items are added to it), or consists of Secrets that are named here or
   * that the webhook wrote.
   */
  | { readonly kind: "volume"; readonly volume: Volume }
  /**
   * At the end. With `numbered`, the number of preceding init containers is appended to the name, and an existing one
   * of any number with the same image, command, mount and variables counts as this one. Without it, the variables of an
   * existing one are brought up to date. An existing container is ignored by earlier edits, and keeps its position and
   * its security context.
   */
  | {
      readonly kind: "initContainer";
      readonly container: OwnContainer;
      readonly numbered: boolean;
      /** Without settings, the container follows the pod's own ones and gets no security context. */
      readonly settings?: InitContainerSettings;
    }
  /** Unless the pod has an annotation of that name. */
  | { readonly kind: "annotation"; readonly name: string; readonly value: string }
  /** At the end of the list, sorted by name, unless the pod names it already. */
  | { readonly kind: "imagePullSecret"; readonly name: string };

/** `webhook.initContainers`. */
export interface InitContainerSettings {
  /** Whether it runs before the pod's own init containers, which can then read its files. */
  readonly first: boolean;
  /**
   * Whether it gets a security context that complies with the restricted Pod Security Standard; with `auto`, in pods
   * that comply with the standard themselves.
   */
  readonly security: "auto" | "restricted" | "none";
  /** The user of that security context where the pod names none; with 0 no user is set. */
  readonly runAsUser: number;
}

/** An init container that flyte-secrets adds. It mounts only the volume to which it writes. */
export interface OwnContainer extends Container {
  readonly image: string;
  readonly env: readonly EnvVar[];
  readonly volumeMounts: readonly [VolumeMount];
}

/** The defaults of `webhook.initContainers`. */
export const DEFAULT_INIT_CONTAINERS: InitContainerSettings = { first: false, security: "auto", runAsUser: 65_532 };

/** The edit that adds an init container. A pod may have several numbered ones, for different secrets. */
export function addInitContainer(
  container: OwnContainer,
  { numbered, settings }: { readonly numbered: boolean; readonly settings: InitContainerSettings | undefined },
): PodEdit {
  return { kind: "initContainer", container, numbered, settings: settings ?? DEFAULT_INIT_CONTAINERS };
}
