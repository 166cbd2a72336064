import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { admitPod, caOf } from "../testing/admit-pod.ts";
import { ask, taskPod } from "../testing/pod-manifests.ts";
import { CLI } from "../testing/run-cli.ts";
import { failure, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const CANARY = "canary-9d41c7";
const INLINE = ["--webhook.embeddedSecretManagerConfig.delivery", "Inline"];
const FREE_PORTS = [
  ...["--port", "0", "--webhook.cacheInvalidationPort", "0"],
  ...["--executor.healthProbeBindAddress", "127.0.0.1:0", "--executor.metricsBindAddress", "127.0.0.1:0"],
  ...["--executor.metricsSecure", "false"],
];

/** The real command, once it says that it serves. */
async function startWebhook(...args: string[]) {
  const child = spawn(process.execPath, [CLI, "webhook", ...FREE_PORTS, ...INLINE, ...args], { env: at.env });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  const said = async (text: string) => {
    while (!output.includes(text)) {
      const heard = [once(child.stdout, "data"), once(child.stderr, "data"), once(child, "exit")];
      const [code] = await Promise.race(heard);
      if (typeof code === "number") throw new Error(output);
    }
  };
  await said("Stop: Ctrl-C");
  const port = (what: string) => Number(new RegExp(`^${what} on port +(\\d+)`, "m").exec(output)?.[1]);
  const ports = { admission: port("Admission"), metrics: port("Metrics"), probes: port("Probes") };
  return { child, said, output: () => output, ...ports };
}

/** The patch that the webhook makes of a pod. */
async function admit(port: number, object: unknown): Promise<unknown> {
  const { patch = "" } = await admitPod(port, { object, caFile: caOf(at.store) });
  return JSON.parse(Buffer.from(patch, "base64").toString());
}

const PATCH = [
  {
    op: "add",
    path: "/spec/containers/0/env",
    value: [
      { name: "_UNION_API-KEY", value: CANARY },
      { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
    ],
  },
];

async function exitOf(child: ChildProcess): Promise<unknown> {
  return (await once(child, "exit"))[0];
}

describe("webhook", () => {
  it("serves admission with a certificate that it makes, and stops in order at SIGTERM", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    const { child, output, admission, probes } = await startWebhook();
    expect(output()).toMatch(
      /^Admission on port {5}\d+ \(HTTPS, path \/mutate--v1-pod\)\nProbes on port {8}\d+\nMetrics on port {7}\d+\nStop: Ctrl-C\n$/,
    );
    expect(await admit(admission, taskPod([ask("api-key")]))).toEqual(PATCH);
    expect((await fetch(`http://127.0.0.1:${probes}/readyz`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await exitOf(child)).toBe(0);
    expect(output()).not.toContain(CANARY);
  });

  it("serves with several processes on the same ports, replaces one that dies, and sums their metrics up", {
    timeout: 120_000,
  }, async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    const { child, said, admission, metrics } = await startWebhook("--workers", "2");
    const admissions = async () => {
      const exposition = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
      return Number(
        /^flyte_secrets_admissions_total\{outcome="changed",pod_namespace="[^"]*"\} (\d+)$/m.exec(exposition)?.[1] ?? 0,
      );
    };
    // New connections go to the workers in turn.
    for (let turn = 0; turn < 4; turn++) expect(await admit(admission, taskPod([ask("api-key")]))).toEqual(PATCH);
    expect(await admissions()).toBe(4);

    const workers = () => readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
    const before = workers();
    expect(before).toHaveLength(2);
    process.kill(Number(before[0]), "SIGKILL");
    await said("a worker ended by itself; another takes its place");
    while (workers().length < 2 || workers().includes(before[0] ?? "")) {
      expect(await admit(admission, taskPod([ask("api-key")]))).toEqual(PATCH);
    }
    const exposition = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    expect(exposition).toMatch(/^flyte_secrets_worker_exits_total 1$/m);
    child.kill("SIGTERM");
    expect(await exitOf(child)).toBe(0);
  });

  it("says what is wrong and ends, however many processes there should be", async () => {
    await at.keep({});
    const refusal =
      "webhook.embeddedSecretManagerConfig.delivery SecretRef writes Secrets, and there is no Kubernetes API to write to here: set it to Inline";
    expect(await at.call("webhook", ...FREE_PORTS)).toEqual(failure(2, refusal));
    const child = spawn(process.execPath, [CLI, "webhook", ...FREE_PORTS, "--workers", "2", "--logger.mute", "true"], {
      env: at.env,
    });
    const [code, stderr] = await Promise.all([exitOf(child), text(child.stderr)]);
    expect([code, stderr]).toEqual([2, `error: ${refusal}\n`]);
    expect(await at.call("webhook", "--workers", "0")).toEqual(failure(2, "--workers must be a number from 1 to 64"));
  });
});
