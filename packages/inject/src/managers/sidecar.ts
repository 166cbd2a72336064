import { quote } from "@flyte-secrets/core";
import { addInitContainer, type InitContainerSettings } from "../pod/edit.ts";
import type { EnvVar } from "../pod/pod.ts";
import { DIRECTORY_EDITS, type InjectorEdit, SECRETS_DIRECTORY } from "./injector.ts";

/** How the init container of a cloud's secret manager is run: `awsSecretManager` and its like. */
export interface SidecarConfig {
  readonly sidecarImage: string;
  readonly resources: unknown;
  /** Default: {@link DEFAULT_INIT_CONTAINERS}. */
  readonly initContainers?: InitContainerSettings;
}

export const SIDECAR_RESOURCES = {
  requests: { cpu: "200m", memory: "500Mi" },
  limits: { cpu: "200m", memory: "500Mi" },
};

/** The clouds' programs keep notes in their user's home; one that isn't in the image has none. */
export const HOME = '[ -w "$HOME" ] || export HOME=/tmp';

/** What one cloud's init container needs beyond its image. */
export interface Sidecar {
  /** Such as `aws`: begins the names of volume and init container. */
  readonly cloud: "aws" | "azure" | "gcp";
  readonly mountPath: string;
  readonly command?: readonly string[];
  readonly env?: readonly EnvVar[];
}

/** Has an init container fetch one secret into a memory volume that all containers read. */
export function sidecarEdits(config: SidecarConfig, { cloud, mountPath, command, env = [] }: Sidecar): InjectorEdit[] {
  const name = `${cloud}-secret-vol`;
  return [
    { kind: "volume", volume: { name, emptyDir: { medium: "Memory" } } },
    addInitContainer(
      {
        name: `${cloud}-pull-secret-`,
        image: config.sidecarImage,
        ...(command && { command }),
        env,
        resources: config.resources,
        volumeMounts: [{ name, mountPath }],
      },
      { numbered: true, settings: config.initContainers },
    ),
    { kind: "mount", mount: { name, mountPath: SECRETS_DIRECTORY, readOnly: true } },
    ...DIRECTORY_EDITS,
  ];
}

/**
 * What a name may have that goes into a script: whatever a cloud's secret is called, and nothing that a shell or the kubelet,
 * which expands `$(NAME)` in commands, sees as more than a letter; no leading `-`, which would make it an option.
 */
const PLAIN = /^[A-Za-z0-9_][-A-Za-z0-9_.:/~]*$/;

/** Why a name from a request must not go into a script; undefined when it may (I-26). */
export function shellFault(field: string, text: string): string | undefined {
  if (PLAIN.test(text)) return undefined;
  return `${field} goes into a script and may only have letters, digits and "-_.:/~", and not begin with "-", got ${quote(text)}`;
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
