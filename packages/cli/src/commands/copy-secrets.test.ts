import { encodeSecretId, kubernetesSecretName, managedLabels } from "@flyte-secrets/core";
import { NAMESPACES, SECRETS } from "@flyte-secrets/kube";
import { serveMemoryApi } from "@flyte-secrets/kube/testing";
import { expect, it } from "vitest";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";
import { writeKubeconfig } from "../testing/write-kubeconfig.ts";

const at = useCliHome();
const ID = { org: "flyte", domain: "", project: "", name: "api-key" };

/** A cluster with `api-key` in namespace `flyte`, and a namespace `empty`; copies from one of its namespaces. */
async function startCluster() {
  const { api, url } = await serveMemoryApi();
  for (const name of ["flyte", "empty"]) {
    await api.client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  await api.client.create(SECRETS, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "flyte", name: kubernetesSecretName(ID), labels: managedLabels(ID) },
    data: { [encodeSecretId(ID)]: "eA==" },
  });
  const kubeconfig = writeKubeconfig(at.home, url);
  return (from: string) =>
    at.call("copy-secrets", "--from", from, "--to", "values", "--secret.kubernetes.kubeconfig", kubeconfig);
}

it("tells an empty namespace, from which there is nothing to copy, from one that does not exist", async () => {
  const copyFrom = await startCluster();
  expect(await copyFrom("flyte")).toEqual(
    success(
      "copied      api-key (global scope)\nFrom flyte to values: 1 copied, 0 overwritten, 0 there already, 0 differ.\n",
    ),
  );
  expect(await copyFrom("empty")).toEqual(
    success("From empty to values: 0 copied, 0 overwritten, 0 there already, 0 differ.\n"),
  );
  expect(await copyFrom("flite")).toEqual(failure(1, "--from: namespace flite does not exist, so nothing was copied"));
});
