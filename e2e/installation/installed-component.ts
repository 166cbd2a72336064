import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Cluster } from "../kubernetes/cluster.ts";

const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");

/**
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/deployment-v1/ as far as the chart uses it.
 */
interface Deployment {
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string;
        readonly containers: readonly [
          {
            readonly args: readonly string[];
            readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
          },
        ];
        readonly volumes: readonly Volume[];
      };
    };
  };
}

interface Volume {
  readonly name: string;
  readonly emptyDir?: object;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string; readonly defaultMode: number };
}

/** A pod's program, which runs on this machine as its Deployment says. */
export interface InstalledComponent {
  /** All that it has printed so far. */
  output(): string;
  /** Resolves once it has printed this. Throws with its output when it ends before that. */
  printed(text: string): Promise<void>;
  /** Sends SIGTERM and waits for the end; the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Does what the kubelet would: mounts what a Deployment names, with the owners and modes that it has there, and runs
 * its command with its arguments as its service account. What differs is where things are: `flags` say the ports, and
 * paths of mounts are those of this machine. It serves when this resolves.
 */
export async function startInstalled(
  cluster: Cluster,
  name: string,
  { namespace, ...flags }: { readonly namespace: string; readonly [setting: string]: string },
): Promise<InstalledComponent> {
  const get = async (kind: string, object: string) =>
    JSON.parse(await cluster.kubectl(["get", kind, object, "-n", namespace, "-o", "json"]));
  const deployment: Deployment = await get("deployment", name);
  const { serviceAccountName, containers, volumes } = deployment.spec.template.spec;
  const [{ args, volumeMounts }] = containers;
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-installed-"));

  const mounted = (text: string) =>
    volumeMounts.reduce((moved, { mountPath }) => moved.replaceAll(mountPath, join(home, mountPath)), text);
  for (const { name: volumeName, mountPath } of volumeMounts) {
    const volume = volumes.find((each) => each.name === volumeName);
    const directory = join(home, mountPath);
    mkdirSync(directory, { recursive: true });
    if (volume?.configMap) {
      const { data } = await get("configmap", volume.configMap.name);
      for (const [file, text] of Object.entries<string>(data)) writeFileSync(join(directory, file), mounted(text));
    } else if (volume?.secret) {
      const { data } = await get("secret", volume.secret.secretName);
      mountSecret(directory, data, volume.secret.defaultMode);
    }
  }

  const kubeconfig = join(home, "kubeconfig");
  const token = await cluster.kubectl(["create", "token", serviceAccountName, "-n", namespace]);
  const admin = JSON.parse(readFileSync(cluster.adminKubeconfig, "utf8"));
  const users = [{ name: admin.users[0].name, user: { token: token.trim() } }];
  writeFileSync(kubeconfig, JSON.stringify({ ...admin, users }), { mode: 0o600 });

  const settings = { "secret.kubernetes.kubeconfig": kubeconfig, ...flags };
  const given = Object.entries(settings).map(([setting, value]) => `--${setting}=${value}`);
  // No home and nowhere to write but the mounts: the root file system of the pod is read-only.
  const env = { HOME: "/nonexistent", TMPDIR: "/nonexistent", POD_NAMESPACE: deployment.metadata.namespace };
  const child = spawn(process.execPath, [COMMAND, ...args.map(mounted), ...given], { env, cwd: "/" });
  const ended = once(child, "exit");
  let output = "";
  const printed: InstalledComponent["printed"] = async (text) => {
    while (!output.includes(text)) {
      const heard = [once(child.stdout, "data"), once(child.stderr, "data"), ended.then(() => "ended")];
      if ((await Promise.race(heard)) === "ended")
        throw new Error(`${name} ended before it printed ${text}:\n${output}`);
    }
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  await printed("Stop: Ctrl-C");
  return {
    output: () => output,
    printed,
    async stop() {
      child.kill("SIGTERM");
      const [exitCode] = await ended;
      rmSync(home, { recursive: true, force: true });
      return exitCode;
    },
  };
}

/**
 * As the kubelet mounts a Secret: files behind two symbolic links. Only root can make them root's; others get files of
 * their own.
 */
function mountSecret(directory: string, data: Readonly<Record<string, string>>, mode: number): void {
  const isRoot = process.geteuid?.() === 0;
  for (const [file, encoded] of Object.entries(data)) {
    const path = join(directory, isRoot ? "..data" : "", file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.from(encoded, "base64"));
    chmodSync(path, isRoot ? mode : 0o600);
    if (isRoot) symlinkSync(join("..data", file), join(directory, file));
  }
}
