// The commands `webhook` and `certs` on a real API server, which sends its pods to the webhook of this machine.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INJECT_LABEL, SecretValue, toRequestAnnotations } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { type Cluster, freePort, requireKubernetes, startCluster } from "./cluster.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");

describeWith(requireKubernetes(), "the command webhook on a real API server", () => {
  let cluster: Cluster;
  let home: string;
  let settings: string[];
  let env: Record<string, string>;

  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of ["flyte", "shop-dev"]) await cluster.kubectl(["create", "namespace", namespace]);
    home = mkdtempSync(join(tmpdir(), "flyte-secrets-webhook-"));
    env = { HOME: home, SECRET_STORE_PATH: join(home, "store") };
    const store = await openEmbeddedStore({ directory: join(home, "store") });
    const id = { org: "flyte", domain: "dev", project: "shop", name: "api-key" };
    await store.create(id, { value: SecretValue.fromText("value"), type: "generic" });
    await store.close();
    const port = await freePort();
    settings = Object.entries({
      "secret.store.type": "Embedded",
      "secret.kubernetes.kubeconfig": cluster.adminKubeconfig,
      "webhook.scopeBinding.domains": "dev",
      "webhook.listenPort": String(port),
      "webhook.url": `https://127.0.0.1:${port}/mutate--v1-pod`,
      "webhook.cacheInvalidationPort": "0",
      "webhook.embeddedSecretManagerConfig.delivery": "Inline",
      "executor.healthProbeBindAddress": "127.0.0.1:0",
      "executor.metricsBindAddress": "",
    }).flatMap(([path, value]) => [`--${path}`, value]);
  });
  afterAll(async () => {
    await cluster?.close();
    rmSync(home, { recursive: true, force: true });
  });

  const call = (...args: string[]) => runProgram(process.execPath, [CLI, ...args, ...settings], { env });

  function pod(name: string): string {
    const labels = { [INJECT_LABEL]: "true", organization: "flyte", project: "shop", domain: "dev" };
    const request = { key: "api-key", group: "", groupVersion: "", mountRequirement: 1, envVar: "KEY" } as const;
    const metadata = { name, namespace: "shop-dev", labels, annotations: toRequestAnnotations([request]) };
    const spec = { containers: [{ name: "main", image: "train" }] };
    return JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata, spec });
  }

  test("it registers itself, gives pods their secrets, and is removed without a trace", async () => {
    // Before there is a registration: what the detector is for.
    await cluster.kubectl(["create", "-f", "-"], pod("early"));

    const webhook = spawn(process.execPath, [CLI, "webhook", "--workers", "2", ...settings], {
      env: { ...env, PATH: "" },
    });
    // Left alone by a signal once it has ended.
    onTestFinished(() => void webhook.kill("SIGTERM"));
    let output = "";
    for (const stream of [webhook.stdout, webhook.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    while (!output.includes("Stop: Ctrl-C")) {
      const [code] = await Promise.race([once(webhook.stdout, "data"), once(webhook, "exit")]);
      if (typeof code === "number") throw new Error(output);
    }
    const probes = `http://127.0.0.1:${/^Probes on port +(\d+)$/m.exec(output)?.[1]}/readyz`;
    while ((await fetch(probes)).status !== 200);

    const shown = await call("certs");
    expect([shown.exitCode, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toMatch(/^Cluster {7}https:.*\nIn {12}Secret flyte\/flyte-pod-webhook\n/);
    expect(shown.stdout).toMatch(/\nNames {9}flyte-pod-webhook, .*, 127\.0\.0\.1\n/);
    expect(shown.stdout).toMatch(/\nState {9}good\nRegistration {2}carries its CA\n$/);

    const created = JSON.parse(await cluster.kubectl(["create", "-f", "-", "-o", "json"], pod("train")));
    expect(created.spec.containers[0].env).toEqual([
      { name: "KEY", value: "value" },
      { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
    ]);
    const pods = join(home, "pods.json");
    await runProgram("sh", ["-c", 'cat > "$0"', pods], {
      input: await cluster.kubectl(["get", "pods", "-A", "-o", "json"]),
    });
    const found = await call("doctor", "--pods", pods);
    expect([found.exitCode, found.stdout.match(/^problem .*$/gm), found.stdout.match(/^ok .*$/gm)]).toEqual([
      1,
      [expect.stringContaining("Pod shop-dev/early asks for api-key and did not get it")],
      ["ok       1 pod lacks nothing"],
    ]);

    webhook.kill("SIGTERM");
    expect((await once(webhook, "exit"))[0]).toBe(0);
    expect(await call("certs", "--remove")).toEqual({
      exitCode: 0,
      stdout:
        "Removed MutatingWebhookConfiguration flyte-pod-webhook, Secret flyte/flyte-pod-webhook " +
        `at ${cluster.url} (context test of ${cluster.adminKubeconfig}).\n`,
      stderr: "",
    });
    await cluster.kubectl(["create", "-f", "-"], pod("late"));
  });
});
