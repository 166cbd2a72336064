import type { Container, EnvVar, Volume, VolumeMount } from "./pod.ts";

/**
 * One change of a pod. `applyEdits` alone carries edits out; what "all containers" means, where things go in their lists and
 * when something is there already is said here and done there.
 *
 * "All containers" are the containers and init containers of the pod, those included that an earlier edit of the list added.
 * A thing of the pod that has the name of one of ours and another shape makes `applyEdits` throw `pod_conflict`.
 */
export type PodEdit =
  /** To the front of the list in all containers, so that later variables can refer to it; replaces those of that name. */
  | { readonly kind: "env"; readonly variable: EnvVar }
  /** At the end, in all containers that mount no volume of that name. */
  | { readonly kind: "mount"; readonly mount: VolumeMount }
  /**
   * At the end, once by name. One that is there counts as ours if it is a memory `emptyDir` like this one, a `secret` volume
   * of the same Secret (missing items are added to it), or made of Secrets that are named here or were written by us.
   */
  | { readonly kind: "volume"; readonly volume: Volume }
  /**
   * At the end. With `numbered`, the number of init containers before it is added to the name, and one of any number that
   * has the same image, command, mount and variables is taken as this one. Otherwise the variables of the one that is
   * there are brought up to date. One that is there counts as absent until this edit is reached and keeps its place,
   * and its security context.
   */
  | {
      readonly kind: "initContainer";
      readonly container: OwnContainer;
      readonly numbered: boolean;
      /** Without it: behind the pod's own, as it is. */
      readonly settings?: InitContainerSettings;
    }
  /** Unless the pod has an annotation of that name. */
  | { readonly kind: "annotation"; readonly name: string; readonly value: string }
  /** To the end of the pod's, those of one list of edits sorted by name, unless the pod names it. */
  | { readonly kind: "imagePullSecret"; readonly name: string };

/** `webhook.initContainers`. */
export interface InitContainerSettings {
  /** Before the pod's own init containers, which then find its files. */
  readonly first: boolean;
  /**
   * Whether it gets a security context that the restricted Pod Security Standard takes; `auto`: in pods that meet the
   * standard themselves.
   */
  readonly security: "auto" | "restricted" | "none";
  /** The user that it then runs as where the pod names none; 0: none is set. */
  readonly runAsUser: number;
}

/** An init container of ours: it mounts the one volume that it writes to. */
export interface OwnContainer extends Container {
  readonly image: string;
  readonly env: readonly EnvVar[];
  readonly volumeMounts: readonly [VolumeMount];
}

/** `webhook.initContainers` as it is where nothing is configured. */
export const DEFAULT_INIT_CONTAINERS: InitContainerSettings = { first: false, security: "auto", runAsUser: 65_532 };

/** The edit that adds an init container of ours; a numbered one may be there several times, for different secrets. */
export function addInitContainer(
  container: OwnContainer,
  { numbered, settings }: { readonly numbered: boolean; readonly settings: InitContainerSettings | undefined },
): PodEdit {
  return { kind: "initContainer", container, numbered, settings: settings ?? DEFAULT_INIT_CONTAINERS };
}
