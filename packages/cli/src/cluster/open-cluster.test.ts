import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { useCliHome } from "../testing/use-cli-home.ts";
import { writeKubeconfig } from "../testing/write-kubeconfig.ts";

const at = useCliHome();

/** A server over HTTP that answers with what is given for a path, else 404; and a kubeconfig for it. */
async function startServer(name: string, answers: Readonly<Record<string, object>>) {
  const seen: string[] = [];
  const server = createServer((req, res) => {
    const path = (req.url ?? "").split("?", 1)[0] ?? "";
    seen.push(path);
    const answer = answers[path];
    res.writeHead(answer ? 200 : 404, { "content-type": "application/json" });
    res.end(JSON.stringify(answer ?? { kind: "Status", code: 404 }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = writeKubeconfig(at.home, address, name);
  return { kubeconfig, seen };
}

function configMap(namespace: string, text: string) {
  const labels = { "app.kubernetes.io/instance": "acme", "app.kubernetes.io/component": "webhook" };
  return { metadata: { name: "acme-webhook", namespace, labels }, data: { "config.yaml": text } };
}

const list = (...items: object[]) => ({ kind: "ConfigMapList", metadata: { resourceVersion: "1" }, items });

it("follows no path that a ConfigMap names: whoever may write one could choose a kubeconfig, and with it programs to run", async () => {
  const other = await startServer("other", { "/version": { major: "1" } });
  const text = `secret: { store: { type: Kubernetes }, kubernetes: { otherClusters: { other: ${other.kubeconfig} } } }`;
  const api = await startServer("one", {
    "/version": { major: "1" },
    "/api/v1/configmaps": list(configMap("platform", text)),
  });
  at.env.KUBECONFIG = api.kubeconfig;
  const found = await at.call("doctor", "--cluster");
  expect(found.stdout).toContain("configuration of ConfigMap platform/acme-webhook in order");
  expect(found.stdout).not.toContain("cluster other");
  expect(other.seen).toEqual([]);

  // Somebody who names a file consents.
  const file = join(at.home, "config.yaml");
  writeFileSync(file, text);
  const named = await at.call("doctor", "--cluster", "-c", file);
  expect(named.stdout).toContain("cluster other");
  expect(other.seen).toContain("/version");
});

it("says where it looked for a configuration when there is none, and what to try next", async () => {
  const api = await startServer("one", {
    "/version": { major: "1" },
    "/api/v1/configmaps": list(configMap("platform", "{}")),
    "/api/v1/namespaces/platfrom/configmaps": list(),
  });
  at.env.KUBECONFIG = api.kubeconfig;
  const { exitCode, stdout } = await at.call("doctor", "--cluster", "-n", "platfrom");
  expect([exitCode, stdout]).toEqual([
    1,
    expect.stringContaining(
      "no ConfigMap of the chart was found in namespace platfrom, or may be read: what follows goes by the defaults; " +
        "name the configuration with -c, or leave -n out and all namespaces are looked through\n",
    ),
  ]);
  expect(stdout).toContain(
    "namespace platfrom (--namespace) does not exist\n         kubectl create namespace platfrom, or correct --namespace\n",
  );
});

it("names a key that the found configuration has wrong, with its place", async () => {
  const api = await startServer("one", {
    "/api/v1/configmaps": list(configMap("platform", "webhook:\n  listenPrt: 1")),
  });
  at.env.KUBECONFIG = api.kubeconfig;
  const { exitCode, stdout } = await at.call("doctor", "--cluster");
  expect([exitCode, stdout]).toEqual([
    1,
    expect.stringContaining("ConfigMap platform/acme-webhook:2: unknown key webhook.listenPrt"),
  ]);
});
