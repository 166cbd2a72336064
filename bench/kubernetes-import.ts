import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSecretId, kubernetesSecretName, managedLabels } from "@flyte-secrets/core";
import { startServe } from "@flyte-secrets/testkit";
import { type Cluster, startCluster } from "../e2e/kubernetes/cluster.ts";
import { UNLIMITED } from "./cluster-client.ts";
import { timeToExit } from "./process.ts";
import type { Row } from "./table.ts";

const SECRETS = Number(process.env.BENCH_IMPORTS ?? "10000");
const NAMESPACE = "flyte";
const CLI = join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");

/**
 * Import and listing of many secrets through a service that keeps them in Kubernetes, from exec to exit, next to
 * kubectl, which makes and lists as many of the same Secrets without a service between. The client-side limit
 * (`secret.kubernetes.qps`, `burst`) is out of the way for all rows but the last.
 */
export async function benchKubernetesImport(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rmSync(folder, { recursive: true }));
  const cluster = opened.adopt(await startCluster(), (started) => started.close());
  const serve = async (limits: Record<string, string>) => {
    const store = { SECRET_STORE_TYPE: "Kubernetes", SECRET_KUBERNETES_KUBECONFIG: cluster.adminKubeconfig };
    const server = await startServe({ args: ["--secret.webhookURL="], env: { ...store, ...limits } });
    opened.defer(async () => void (await server.close()));
    return server;
  };
  const unlimited = { SECRET_KUBERNETES_QPS: String(UNLIMITED), SECRET_KUBERNETES_BURST: String(UNLIMITED) };
  const [quick, limited] = [await serve(unlimited), await serve({})];
  const importFile = (prefix: string, amount: number) => {
    const file = join(folder, `${prefix}.json`);
    writeFileSync(file, JSON.stringify(Object.fromEntries(namesOf(prefix, amount).map((name) => [name, `${name}-x`]))));
    return file;
  };
  const ours = (args: readonly string[], server = quick) => timeToExit(process.execPath, [CLI, ...args], server.env);
  const manifest = join(folder, "secrets.json");
  writeFileSync(
    manifest,
    JSON.stringify({ apiVersion: "v1", kind: "List", items: namesOf("k", SECRETS).map(secretOf) }),
  );

  const madeMs = await kubectl(cluster, ["create", "--filename", manifest]);
  const kubectlListedMs = await kubectl(cluster, ["get", "secrets", "--namespace", NAMESPACE]);
  await kubectl(cluster, ["delete", "secrets", "--all", "--namespace", NAMESPACE, "--wait=false"]);
  const importedMs = await ours(["import", importFile("k", SECRETS)]);
  const listedMs = await ours(["get", "secret"]);
  const few = Math.ceil(SECRETS / 10);
  const fewMs = await ours(["import", importFile("few", few)], limited);
  const row = (what: string, ms: number, referenceMs: number): Row => ({
    what,
    "ours, ms": ms,
    "kubectl, ms": referenceMs,
    ratio: ms / referenceMs,
  });
  return [
    row(`import of ${SECRETS}, kubectl create`, importedMs, madeMs),
    row(`get secret of ${SECRETS}, kubectl get`, listedMs, kubectlListedMs),
    row(`import of ${few}, default qps and burst`, fewMs, madeMs / 10),
  ];
}

const namesOf = (prefix: string, amount: number) => Array.from({ length: amount }, (_, index) => `${prefix}${index}`);

/** The Secret that the service makes of a name. */
function secretOf(name: string) {
  const id = { org: "flyte", domain: "", project: "", name };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: kubernetesSecretName(id), namespace: NAMESPACE, labels: managedLabels(id) },
    stringData: { [encodeSecretId(id)]: `${name}-x` },
  };
}

function kubectl({ programs, adminKubeconfig, directory }: Cluster, args: readonly string[]): Promise<number> {
  // It keeps a cache in the home.
  return timeToExit(join(programs, "kubectl"), [`--kubeconfig=${adminKubeconfig}`, ...args], { HOME: directory });
}
