import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeSecretId, kubernetesSecretName, managedLabels } from "@flyte-secrets/core";
import { SECRETS } from "@flyte-secrets/kube";
import { serveMemoryApi } from "@flyte-secrets/kube/testing";
import { startServe } from "@flyte-secrets/testkit";
import { expect, it, onTestFinished } from "vitest";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";
import { writeKubeconfig } from "../testing/write-kubeconfig.ts";

const at = useCliHome();
const ID = { org: "flyte", domain: "", project: "", name: "kept" };
const PLACE = { namespace: "flyte", name: kubernetesSecretName(ID) };

/** A service over a cluster in which Argo CD keeps the secret `kept`. */
async function serveKept() {
  const { api, url } = await serveMemoryApi();
  const labels = { ...managedLabels(ID), "argocd.argoproj.io/instance": "secrets" };
  await api.client.create(SECRETS, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...PLACE, labels },
    type: "Opaque",
    data: { [encodeSecretId(ID)]: Buffer.from("Argo CD's").toString("base64") },
  });
  const kubeconfig = writeKubeconfig(at.home, url);
  const args = ["--secret.store.type", "Kubernetes", "--secret.kubernetes.kubeconfig", kubeconfig];
  const server = await startServe({
    directory: at.home,
    args: [...args, "--auth", "none", "--secret.server.host", "127.0.0.1"],
  });
  onTestFinished(async () => void (await server.close()));
  const value = async () => {
    const found = await api.client.get(SECRETS, PLACE);
    return Buffer.from(found?.data?.[encodeSecretId(ID)] ?? "", "base64").toString();
  };
  return { endpoint: server.endpoint, value };
}

it("overwrites what another controller keeps only with --force", async () => {
  const { endpoint, value } = await serveKept();
  writeFileSync(join(at.home, "a.json"), JSON.stringify({ kept: "ours" }));
  const importIt = (...flags: string[]) =>
    at.call("import", "a.json", "--overwrite", ...flags, "--endpoint", endpoint, "--insecure");
  expect(await importIt()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("Argo CD") });
  expect(await value()).toBe("Argo CD's");
  expect(await importIt("--force")).toEqual(success("Updated secret kept\n1 secret (global scope)\n"));
  expect(await value()).toBe("ours");
});

it("has no use for --force without --overwrite", async () => {
  expect(await at.call("import", "a.json", "--force")).toEqual(failure(2, "--force needs --overwrite"));
});
