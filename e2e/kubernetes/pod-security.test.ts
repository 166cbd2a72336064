// Pods that get init containers of ours, in a namespace of a real API server that enforces the restricted Pod Security
// Standard.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INJECT_LABEL, MountRequirement, toRequestAnnotations } from "@flyte-secrets/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";

const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const NAMESPACE = "shop-development";
const OWN = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const OF_POD = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
const REQUEST = {
  group: "https://v.vault.azure.net/secrets/n",
  groupVersion: "1",
  key: "k",
  mountRequirement: MountRequirement.FILE,
  envVar: "",
};

function podOf(name: string, spec: object) {
  const labels = { [INJECT_LABEL]: "true", organization: "flyte", project: "shop", domain: "development" };
  const metadata = { name, namespace: NAMESPACE, labels, annotations: toRequestAnnotations([REQUEST]) };
  return { apiVersion: "v1", kind: "Pod", metadata, spec };
}

const inContainer = podOf("a", { containers: [{ name: "main", image: "i", securityContext: { ...OWN, ...OF_POD } }] });
const inPod = podOf("b", {
  securityContext: OF_POD,
  containers: [{ name: "main", image: "i", securityContext: OWN }],
  initContainers: [{ name: "own", image: "i", securityContext: { ...OWN, runAsUser: 1000 } }],
});

describeWith(requireKubernetes(), "the restricted Pod Security Standard", () => {
  let cluster: Cluster;
  const home = mkdtempSync(join(tmpdir(), "pod-security-"));
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", NAMESPACE]);
    await cluster.kubectl(["label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"]);
  }, 120_000);
  afterAll(async () => {
    await cluster?.close();
    rmSync(home, { recursive: true });
  });

  async function mutated(pod: object, ...flags: string[]): Promise<object> {
    const file = join(home, "pod.json");
    writeFileSync(file, JSON.stringify(pod));
    const env = { PATH: process.env.PATH ?? "", HOME: home };
    const args = ["mutate", "-f", file, "-o", "json", ...flags];
    const { stdout } = await runProgram(process.execPath, [COMMAND, ...args], { env });
    return JSON.parse(stdout);
  }

  const create = (pod: object) => cluster.kubectl(["create", "--dry-run=server", "-f", "-"], JSON.stringify(pod));

  test.each(["AWS", "GCP", "Azure"])("takes a pod with the init container of %s", async (manager) => {
    for (const pod of [inContainer, inPod]) {
      const flags = ["--webhook.secretManagerTypes", manager];
      const changed = await mutated(pod, ...flags);
      expect(JSON.stringify(changed)).toContain("-pull-secret-");
      await create(changed);
      const plain = await mutated(pod, ...flags, "--webhook.initContainers.security", "none");
      await expect(create(plain)).rejects.toThrow("violates PodSecurity");
    }
  });
});
