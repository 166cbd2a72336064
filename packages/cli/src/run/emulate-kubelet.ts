import { join, relative } from "node:path";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import {
  type Container,
  decodeFiles,
  type EnvVar,
  type Pod,
  SECRETS_DIRECTORY,
  type Volume,
} from "@flyte-secrets/inject";

/** Linux' MAX_ARG_STRLEN, less the `=` and the final NUL: a container with a longer variable does not start either. */
const MAX_VARIABLE_BYTES = 131_072 - 2;

export interface KubeletOptions {
  /** Where the files of the pod's `/etc/flyte/secrets` are put. */
  readonly directory: string;
  /** Where the process sees that directory. Default: where it is. */
  readonly seenAt?: string;
  /** One data key of a Secret in the pod's namespace; undefined when it isn't there. */
  secretValue(name: string, key: string): SecretValue | undefined;
}

/** What a process of this machine needs in order to see what the pod's container would see. */
export interface ContainerView {
  readonly variables: ReadonlyMap<string, string>;
  /** Paths are absolute and below {@link KubeletOptions.directory}. */
  readonly files: readonly { readonly path: string; readonly value: SecretValue }[];
  /** Literal values that Kubernetes itself changes (`$$`, `$(NAME)`), as the container sees them. */
  readonly expanded: readonly SecretValue[];
}

/**
 * Does what the kubelet and Embedded's init container do for the pod's first container: variables in order, later ones
 * winning, with references expanded; Secret and projected volumes as files. Paths of files are moved to `directory`, and
 * those in variables to `seenAt`. A reference that is optional and leads nowhere is left out; one that isn't throws
 * `not_injected`.
 */
export function emulateKubelet(pod: Pod, options: KubeletOptions): ContainerView {
  const [container] = pod.spec.containers;
  if (container === undefined) throw new SecretsError("invalid_argument", "the pod has no container");
  return { ...resolveVariables(container.env ?? [], options), files: resolveFiles(pod, container, options) };
}

/** Whether a pod's first container has a volume at `/etc/flyte/secrets`, or below it. */
export function mountsSecrets({ spec: { containers } }: Pod): boolean {
  return containers[0]?.volumeMounts?.some(({ mountPath }) => isInSecrets(mountPath)) ?? false;
}

function resolveVariables(
  env: readonly EnvVar[],
  options: KubeletOptions,
): Pick<ContainerView, "variables" | "expanded"> {
  const variables = new Map<string, string>();
  const expanded: SecretValue[] = [];
  for (const { name, value = "", valueFrom } of env) {
    const reference = valueFrom?.secretKeyRef;
    if (reference !== undefined) {
      const secret = resolve(options, reference.name, reference);
      if (secret !== undefined) variables.set(name, textOf(name, secret));
      continue;
    }
    const seen = expandReferences(value, variables);
    if (seen !== value) expanded.push(SecretValue.fromText(seen));
    variables.set(name, relocate(seen, options.seenAt ?? options.directory));
  }
  return { variables, expanded };
}

/**
 * `$(NAME)` becomes the value of an earlier variable, `$$` a `$`; what names no variable stays (Kubernetes'
 * `expansion`).
 */
export function expandReferences(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole: string, name?: string) =>
    name === undefined ? "$" : (variables.get(name) ?? whole),
  );
}

function resolveFiles(pod: Pod, container: Container, options: KubeletOptions): ContainerView["files"] {
  const volumes = new Map((pod.spec.volumes ?? []).map((volume) => [volume.name, volume]));
  return (container.volumeMounts ?? []).flatMap(({ name, mountPath }) => {
    const volume = volumes.get(name);
    if (volume === undefined || !isInSecrets(mountPath)) return [];
    return filesOf(pod, volume, options).map(({ path, value }) => {
      const file = join(relocate(mountPath, options.directory), path);
      if (relative(options.directory, file).startsWith("..")) {
        throw new SecretsError("invalid_argument", `the file ${path} of volume ${name} leaves ${SECRETS_DIRECTORY}`);
      }
      return { path: file, value };
    });
  });
}

function filesOf(pod: Pod, volume: Volume, options: KubeletOptions): { path: string; value: SecretValue }[] {
  const secrets = [
    ...(volume.secret ? [{ ...volume.secret, name: volume.secret.secretName }] : []),
    ...(volume.projected?.sources ?? []).flatMap(({ secret }) => (secret ? [secret] : [])),
  ];
  const referred = secrets.flatMap(({ name = "", items, optional }) =>
    (items ?? []).flatMap(({ key, path }) => {
      const value = resolve(options, name, { key, optional: optional ?? false });
      return value === undefined ? [] : [{ path, value }];
    }),
  );
  return volume.emptyDir ? [...referred, ...inlineFiles(pod, volume.name)] : referred;
}

/** The files that Embedded's init container would write into the volume. */
function inlineFiles(pod: Pod, volume: string): { path: string; value: SecretValue }[] {
  return (pod.spec.initContainers ?? [])
    .filter((container) => container.volumeMounts?.some(({ name }) => name === volume))
    .flatMap(({ env }) => [...decodeFiles(env ?? [])].map(([path, value]) => ({ path, value })));
}

function resolve(
  options: KubeletOptions,
  name: string,
  { key, optional = false }: { readonly key: string; readonly optional?: boolean },
): SecretValue | undefined {
  const value = options.secretValue(name, key);
  if (value === undefined && !optional) {
    throw new SecretsError("not_injected", `the pod refers to key ${key} of Secret ${name}, which is not there`);
  }
  return value;
}

function textOf(variable: string, secret: SecretValue): string {
  const text = secret.revealText();
  if (text === undefined || text.includes("\0")) {
    throw new SecretsError("not_injected", `the value of variable ${variable} is no text; mount it as a file instead`);
  }
  const bytes = Buffer.byteLength(variable) + secret.byteLength;
  if (bytes > MAX_VARIABLE_BYTES) {
    throw new SecretsError(
      "not_injected",
      `variable ${variable} and its value have ${bytes} bytes, Linux takes ${MAX_VARIABLE_BYTES} at most; mount it ` +
        "as a file instead",
    );
  }
  return text;
}

function relocate(path: string, directory: string): string {
  return isInSecrets(path) ? join(directory, path.slice(SECRETS_DIRECTORY.length)) : path;
}

function isInSecrets(path: string): boolean {
  return path === SECRETS_DIRECTORY || path.startsWith(`${SECRETS_DIRECTORY}/`);
}
