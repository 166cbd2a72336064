// Values in the memory of several webhook processes: one of them is told that a secret has changed, and all forget it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { encodeSecretId } from "@flyte-secrets/core";
import type { Target } from "@flyte-secrets/webhook/testing";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../kubernetes/cluster.ts";
import { admittedValue } from "../support/admitted-value.ts";
import { pythonProgram, requirePython } from "../support/python-environment.ts";
import { describeWith } from "../support/requirement.ts";
import { startProgram } from "../support/start-program.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const MOTO = { name: "moto", version: "5.2.5", extras: "[server]", program: "moto_server" };
const WORKERS = 2;
const SECRET = { org: "flyte", domain: "d", project: "p", name: "api-key" };

describeWith(requirePython(MOTO), "webhook --workers over a cloud's secret manager", () => {
  async function startMoto() {
    const args = ["-H", "127.0.0.1", "-p", "0"];
    const ready = /Running on (http:\/\/127\.0\.0\.1:\d+)/;
    const moto = await startProgram(pythonProgram(MOTO, "moto_server"), args, { ready });
    onTestFinished(() => moto.stop());
    return moto.match[1] ?? "";
  }

  async function startWebhook(endpoint: string) {
    const home = mkdtempSync(join(tmpdir(), "flyte-secrets-workers-"));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const invalidationPort = await freePort();
    const settings = {
      "secret.store.path": home,
      "webhook.scopeBinding.domains": "d",
      "webhook.listenPort": "0",
      "webhook.cacheInvalidationPort": String(invalidationPort),
      "webhook.embeddedSecretManagerConfig.type": "AWS",
      "webhook.embeddedSecretManagerConfig.awsConfig.region": "us-east-1",
      "webhook.embeddedSecretManagerConfig.awsConfig.endpoint": endpoint,
      "webhook.embeddedSecretManagerConfig.delivery": "Inline",
      "executor.healthProbeBindAddress": "",
      "executor.metricsBindAddress": "",
    };
    const flags = Object.entries(settings).map(([path, value]) => `--${path}=${value}`);
    const webhook = await startProgram(process.execPath, [CLI, "webhook", `--workers=${WORKERS}`, ...flags], {
      ready: /^Admission on port +(\d+)[\s\S]*Stop: Ctrl-C/m,
      env: { HOME: home, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
    });
    onTestFinished(() => webhook.stop());
    const ca = readFileSync(join(home, "webhook/webhook-ca.crt"), "utf8");
    return { port: Number(webhook.match[1]), invalidationPort, ca };
  }

  /** The value that each worker gives a pod: new connections go to them in turn. */
  async function admitByAll(webhook: Target): Promise<string[]> {
    const values: string[] = [];
    while (values.length < WORKERS) values.push(await admittedValue(webhook, SECRET.name));
    return values;
  }

  test("an invalidation that one worker gets reaches all", async () => {
    const endpoint = await startMoto();
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const aws = new SecretsManagerClient({ region: "us-east-1", endpoint, credentials });
    onTestFinished(() => aws.destroy());
    const name = encodeSecretId(SECRET);
    await aws.send(new CreateSecretCommand({ Name: name, SecretString: "first" }));
    const webhook = await startWebhook(endpoint);
    expect(await admitByAll(webhook)).toEqual(["first", "first"]);
    await aws.send(new PutSecretValueCommand({ SecretId: name, SecretString: "second" }));
    expect(await admitByAll(webhook)).toEqual(["first", "first"]);
    const { status } = await fetch(`http://127.0.0.1:${webhook.invalidationPort}/invalidate-secret`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(SECRET),
    });
    expect(status).toBe(200);
    await expect.poll(() => admitByAll(webhook), { timeout: 10_000, interval: 10 }).toEqual(["second", "second"]);
  });
});
