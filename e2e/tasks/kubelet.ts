import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SecretValue } from "@flyte-secrets/core";
import type { Container, EnvVar, Pod, Volume } from "@flyte-secrets/inject";
import type { Requirement } from "../support/requirement.ts";
import { type ProgramResult, runProgram } from "../support/run-program.ts";

/** What an image brings along. Its programs run on this machine's files, but for `/etc` and the mounts of the pod. */
export interface Image {
  readonly variables: Readonly<Record<string, string>>;
  /** Run where the container names no command. */
  readonly entrypoint?: readonly string[];
  readonly workingDirectory?: string;
}

/** Where a pod runs. */
export interface Node {
  /** By the names that containers give. */
  readonly images: Readonly<Record<string, Image>>;
  /** The Secrets in the pod's namespace: their data by their names. */
  readonly secrets: ReadonlyMap<string, Readonly<Record<string, SecretValue>>>;
  /** For the pod's volumes: empty, and below no mount of the pod. */
  readonly directory: string;
}

const UNSHARE = ["--map-root-user", "--mount", "/bin/sh", "-ec"];

/**
 * Mounts at the paths that the pod names, `/etc/flyte/secrets` too, in a mount namespace of its own; `/etc` is seen
 * through a layer that has the mount points. Arguments: the layer, the working directory, three words a mount, `--`,
 * the command.
 */
const MOUNT_SCRIPT = `mount -t overlay overlay -o "lowerdir=$1:/etc" /etc
cd "$2"
shift 2
while [ "$1" != -- ]; do
  mount --bind "$1" "$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$2"
  shift 3
done
shift
exec "$@"`;

const PROBE = "mount -t overlay overlay -o lowerdir=/etc:/usr /etc";

export const mountNamespaces: Requirement =
  spawnSync("unshare", [...UNSHARE, PROBE]).status === 0
    ? { missing: false }
    : {
        missing: true,
        what: "user and mount namespaces with overlays (Linux 5.11)",
        enable: "sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0",
      };

/**
 * Does for a pod what its kubelet and container runtime do, as far as secrets go: volumes, then the init containers one
 * by one, then the first container, whose result it is. Throws for what would keep the pod from starting.
 */
export async function runPod(pod: Pod, node: Node): Promise<ProgramResult> {
  for (const volume of pod.spec.volumes ?? []) makeVolume(volume, node);
  for (const container of pod.spec.initContainers ?? []) {
    const { exitCode, stderr } = await runContainer(container, node);
    if (exitCode !== 0) throw new Error(`init container ${container.name} ended with ${exitCode}: ${stderr}`);
  }
  const [container] = pod.spec.containers;
  if (!container) throw new Error("the pod has no container");
  return runContainer(container, node);
}

function makeVolume({ name, emptyDir, secret, projected }: Volume, node: Node): void {
  const sources = (projected?.sources ?? []).map((source) => source.secret);
  if (secret) sources.push({ ...secret, name: secret.secretName ?? "" });
  if (!emptyDir && sources.length === 0) throw new Error(`volume ${name} is of no kind that is known here`);
  mkdirSync(volumePath(name, node), { recursive: true });
  for (const source of sources) {
    for (const { key, path, mode } of source?.items ?? []) {
      const value = findData(source?.name ?? "", key, { node, optional: source?.optional ?? false });
      if (value === undefined) continue;
      const file = join(volumePath(name, node), path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, value.revealBytes(), { mode: mode ?? (secret ?? projected)?.defaultMode ?? 0o644 });
    }
  }
}

async function runContainer(container: Container, node: Node): Promise<ProgramResult> {
  const image = node.images[container.image ?? ""];
  if (!image) throw new Error(`container ${container.name} has an image that is not there`);
  const variables = environment(image, container.env ?? [], node);
  const args = Array.isArray(container.args) ? container.args.map(String) : [];
  const words = [...(container.command ?? image.entrypoint ?? []), ...args].map((word) => expand(word, variables));
  const layer = join(node.directory, "etc");
  mkdirSync(layer, { recursive: true });
  const mounts = (container.volumeMounts ?? [])
    .toSorted((a, b) => a.mountPath.length - b.mountPath.length)
    .flatMap(({ name, mountPath, readOnly }) => {
      if (mountPath.startsWith("/etc/")) mkdirSync(join(node.directory, mountPath), { recursive: true });
      return [volumePath(name, node), mountPath, readOnly ? "ro" : "rw"];
    });
  // A shell would lose variables whose names it can't have, such as _UNION_MY-KEY.
  const exact = ["env", "-i", ...[...variables].map(([name, value]) => `${name}=${value}`), ...words];
  const prepared = [layer, image.workingDirectory ?? "/", ...mounts, "--", ...exact];
  return runProgram("unshare", [...UNSHARE, MOUNT_SCRIPT, "sh", ...prepared]);
}

function environment(image: Image, env: readonly EnvVar[], node: Node): Map<string, string> {
  const variables = new Map(Object.entries(image.variables));
  for (const { name, value = "", valueFrom } of env) {
    const reference = valueFrom?.secretKeyRef;
    if (!reference) {
      variables.set(name, expand(value, variables));
      continue;
    }
    const { optional = false, key } = reference;
    const text = findData(reference.name, key, { node, optional })?.revealText();
    if (text !== undefined) variables.set(name, text);
  }
  return variables;
}

/** `$(NAME)` is the value of a variable before, `$$` a `$`, and all else itself, as in Kubernetes. */
function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole: string, name?: string) =>
    name === undefined ? "$" : (variables.get(name) ?? whole),
  );
}

function findData(name: string, key: string, { node, optional }: { node: Node; optional: boolean }) {
  const value = node.secrets.get(name)?.[key];
  if (value === undefined && !optional) throw new Error(`key ${key} of Secret ${name} is not there`);
  return value;
}

function volumePath(name: string, { directory }: Node): string {
  return join(directory, "volumes", name);
}
