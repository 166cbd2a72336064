import { tmpdir } from "node:os";
import { encodeSecretId, kubernetesSecretName, type SecretId, systemClock } from "@flyte-secrets/core";
import { createKubeClient, loadClusterConnection } from "@flyte-secrets/kube";
import { type CachedLookup, openLookup } from "@flyte-secrets/lookup";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Cluster, requireKubernetes, startCluster } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";
import { CACHE, PARTS } from "./lookup-parts.ts";

const scope = { org: "flyte", domain: "development", project: "shop" };
const project: SecretId = { ...scope, name: "api-key" };
const global: SecretId = { ...project, domain: "", project: "" };

function manifest(id: SecretId, value: string): string {
  const metadata = { name: kubernetesSecretName(id), namespace: "flyte" };
  return JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata, stringData: { [encodeSecretId(id)]: value } });
}

describeWith(requireKubernetes(), "the managed Secrets of a real namespace", () => {
  let cluster: Cluster;
  let kubeconfig: string;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", "flyte"]);
    const rules = [{ apiGroups: [""], resources: ["secrets"], verbs: ["list", "watch"] }];
    kubeconfig = await cluster.createAccount({ namespace: "flyte", name: "webhook", rules });
  });
  afterAll(() => cluster?.close());

  async function open(): Promise<CachedLookup> {
    const connection = loadClusterConnection({ kubeconfig, env: {}, home: tmpdir(), clock: systemClock });
    const client = createKubeClient({ connection, qps: 100, burst: 100, timeoutMs: 30_000, clock: systemClock });
    onTestFinished(() => client.close());
    const options = { source: { type: "K8s", namespace: "flyte" }, cache: CACHE, maxIdLength: 253 } as const;
    const lookup = await openLookup(options, { ...PARTS, openKube: async () => client });
    onTestFinished(() => lookup.close());
    return lookup;
  }

  const find = async (lookup: CachedLookup) => {
    const result = await lookup.find(scope, "api-key");
    return result.found ? `${result.level} ${result.value.revealText()}` : "nowhere";
  };

  test("what kubectl does is seen without a question, through a restart of the API server", async () => {
    await cluster.kubectl(["apply", "-f", "-"], manifest(global, "g"));
    const lookup = await open();
    expect(await find(lookup)).toBe("global g");
    await lookup.ready();

    await cluster.kubectl(["apply", "-f", "-"], manifest(project, "p"));
    await expect.poll(() => find(lookup)).toBe("project p");
    await cluster.kubectl(["apply", "-f", "-"], manifest(project, "p2"));
    await expect.poll(() => find(lookup)).toBe("project p2");

    await cluster.restartApiServer();
    await cluster.kubectl(["delete", "secret", "--namespace", "flyte", kubernetesSecretName(project)]);
    await expect.poll(() => find(lookup), { timeout: 30_000 }).toBe("global g");
    await lookup.ready();
  });
});
