import type { InitContainerSettings, OwnContainer, PodEdit } from "./pod/pod-edit.ts";

/** `webhook.initContainers` as it is where nothing is configured. */
export const DEFAULT_INIT_CONTAINERS: InitContainerSettings = { first: false, security: "auto", runAsUser: 65_532 };

/** The edit that adds an init container of ours; a numbered one may be there several times, for different secrets. */
export function addInitContainer(
  container: OwnContainer,
  { numbered, settings }: { readonly numbered: boolean; readonly settings: InitContainerSettings | undefined },
): PodEdit {
  return { kind: "initContainer", container, numbered, settings: settings ?? DEFAULT_INIT_CONTAINERS };
}
