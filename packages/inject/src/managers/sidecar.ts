import { quote } from "@flyte-secrets/core";
import { addInitContainer, type InitContainerSettings } from "../pod/edit.ts";
import type { EnvVar } from "../pod/pod.ts";
import { DIRECTORY_EDITS, type InjectorEdit, SECRETS_DIRECTORY } from "./injector.ts";

/** Configuration of the init container of a cloud's secret manager, such as `awsSecretManager`. */
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

/** The clouds' command lines write to the home directory, which a user that the image doesn't know lacks. */
export const HOME = '[ -w "$HOME" ] || export HOME=/tmp';

/** The parts of an init container in which the clouds differ. */
export interface Sidecar {
  /** The prefix of the names of volume and init container. */
  readonly cloud: "aws" | "azure" | "gcp";
  readonly mountPath: string;
  readonly command?: readonly string[];
  readonly env?: readonly EnvVar[];
}

/** The edits by which an init container fetches one secret into a memory volume that all containers mount. */
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
 * The characters that a request's fields may have in a script. They cover the names of all clouds' secrets. None of
 * them is special to a shell or to the kubelet, which expands `$(NAME)` in commands. A leading `-` would make an option
 * of it.
 */
const PLAIN = /^[A-Za-z0-9_][-A-Za-z0-9_.:/~]*$/;

/** The reason why a field of a request must not go into a script; undefined when it may (I-26). */
export function validateScriptText(field: string, text: string): string | undefined {
  if (PLAIN.test(text)) return undefined;
  return (
    `${field} goes into a script and may only have letters, digits and "-_.:/~", and not begin with "-", ` +
    `got ${quote(text)}`
  );
}

/** Quotes a text as one word of a POSIX shell. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
