// Who reaches the webhook's ports from elsewhere, or without leave, gets no value and ends no process. Letters are
// those of the attack report.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate, type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { ask, podReview, send, taskPod } from "@flyte-secrets/webhook/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../kubernetes/cluster.ts";
import { runProgram } from "../support/run-program.ts";
import { startProgram } from "../support/start-program.ts";
import { openSocket } from "./attacked-webhook.ts";
import { underAttack } from "./under-attack.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const CANARY = "canary-lan-value-4711";
const REVIEW = JSON.stringify(podReview(taskPod([ask("stripe", { envVar: "KEY" })])));
const ID = { org: "flyte", project: "p", domain: "d", name: "stripe" };

/** Stands for what others reach this machine at: an address that is not the one of loopback that servers listen on. */
const FOREIGN_ADDRESSES = ["127.0.0.2"];

const toArgs = (settings: Readonly<Record<string, string>>) =>
  Object.entries(settings).map(([path, value]) => `--${path}=${value}`);

const SETTINGS = {
  "webhook.listenPort": "0",
  "webhook.embeddedSecretManagerConfig.delivery": "Inline",
  "executor.healthProbeBindAddress": "127.0.0.1:0",
  "executor.metricsBindAddress": "127.0.0.1:0",
  "executor.metricsSecure": "false",
  "webhook.scopeBinding.domains": "d",
};

/** `serve` with its webhook, a secret in it, and the webhook's ports. */
async function startBoth(settings: Readonly<Record<string, string>> = {}) {
  const invalidation = await freePort();
  const own = { ...SETTINGS, "webhook.enabled": "true", "webhook.cacheInvalidationPort": String(invalidation) };
  const serve = await startServe({ args: toArgs({ ...own, ...settings }) });
  onTestFinished(async () => void (await serve.close()));
  const response = await fetch(`${serve.endpoint}/secrets/api/v1`, {
    method: "POST",
    headers: { authorization: `Bearer ${serve.token}`, "content-type": "application/json" },
    body: JSON.stringify({ id: ID, secretSpec: { stringValue: CANARY } }),
  });
  expect(response.status).toBe(200);
  return { serve, invalidation, admission: Number(/^Webhook on +port (\d+)$/m.exec(serve.output())?.[1]) };
}

/** What the admission answers at this address; undefined without an answer. */
function review(host: string, port: number, certificate: { cert?: string; key?: string } = {}) {
  const options = { host, rejectUnauthorized: false, agent: false, ...certificate } as const;
  return send({ port, ca: "" }, REVIEW, options).then(
    ({ text }) => text,
    () => undefined,
  );
}

/** A program whose good client reads a secret over the service. */
function asReader({ process, endpoint, token }: ServeProcess) {
  return {
    pid: process.pid ?? 0,
    async ask() {
      const headers = { authorization: `Bearer ${token}` };
      const path = "/secrets/api/v1/name/stripe?id.project=p&id.domain=d&id.organization=flyte";
      const { status } = await fetch(endpoint + path, { headers, signal: AbortSignal.timeout(30_000) });
      if (status !== 200) throw new Error(`${status}`);
    },
  };
}

const BAD_INVALIDATIONS: readonly (readonly [string, unknown])[] = [
  ["a project without a domain", { org: "flyte", project: "p", name: "x" }],
  ["a project without anything", { project: "p", name: "x" }],
  ["parts that meet", { org: "flyte", project: "a__b", domain: "d", name: "x" }],
  ["a path", { org: "flyte", project: "../..", domain: "d", name: "x" }],
  ["no name", { org: "flyte", project: "p", domain: "d" }],
  ["a name of another type", { org: "flyte", project: "p", domain: "d", name: { toString: null } }],
  ["a list", [1, 2]],
  ["null", null],
  ["a prototype", JSON.parse('{"__proto__":{"name":"x"},"name":""}')],
  ["much", { name: "x".repeat(5_000) }],
  ["deep brackets", "[".repeat(4_000)],
];

async function invalidate(port: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`http://127.0.0.1:${port}/invalidate-secret`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return response.status;
}

describe("C2: an invalidation that makes no sense", () => {
  test("is refused by serve with its webhook, which goes on", async () => {
    const { serve, invalidation } = await startBoth({ "webhook.limits.invalidationsPerSecond": "30" });
    const report = await underAttack(asReader(serve), async () => {
      for (const [what, body] of BAD_INVALIDATIONS)
        expect([what, await invalidate(invalidation, body)]).toEqual([what, what === "much" ? 413 : 400]);
      // As a web page sends it.
      expect(await invalidate(invalidation, ID, { "content-type": "text/plain" })).toBe(415);
      expect(await invalidate(invalidation, ID)).toBe(200);
      const statuses = await Promise.all(Array.from({ length: 200 }, () => invalidate(invalidation, ID)));
      expect(new Set(statuses)).toEqual(new Set([200, 429]));
    });
    expect(report).toMatchObject({ failures: [] });
  });

  test("is refused by each of several workers, and none of them ends", async () => {
    const home = mkdtempSync(join(tmpdir(), "flyte-secrets-ports-"));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const [invalidation, metrics] = [await freePort(), await freePort()];
    writeFileSync(join(home, "token"), "a-token-of-some-length\n");
    const settings = {
      ...SETTINGS,
      "webhook.cacheInvalidationPort": String(invalidation),
      "webhook.cacheInvalidationTokenFile": join(home, "token"),
      "executor.metricsBindAddress": `127.0.0.1:${metrics}`,
    };
    const webhook = await startProgram(process.execPath, [CLI, "webhook", "--workers=2", ...toArgs(settings)], {
      ready: /Stop: Ctrl-C/,
      env: { HOME: home },
    });
    onTestFinished(() => webhook.stop());
    const bearer = { authorization: "Bearer a-token-of-some-length" };
    // Each call has a connection of its own, and these go to the workers in turn.
    for (const [what, body] of [...BAD_INVALIDATIONS, ...BAD_INVALIDATIONS]) {
      expect([what, await invalidate(invalidation, body, { connection: "close" })]).toEqual([what, 401]);
      expect([what, await invalidate(invalidation, body, { connection: "close", ...bearer })]).toEqual([
        what,
        what === "much" ? 413 : 400,
      ]);
    }
    const exposition = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    expect(exposition).toMatch(/^flyte_secrets_worker_exits_total 0$/m);
  });
});

describe("C5: from another machine", () => {
  test("nobody reaches the webhook of one's own machine, whose answers have values", async () => {
    const { serve, admission, invalidation } = await startBoth();
    const patch = /"patch":"([^"]+)"/.exec((await review("127.0.0.1", admission)) ?? "")?.[1] ?? "";
    expect(Buffer.from(patch, "base64").toString()).toContain(CANARY);
    for (const address of FOREIGN_ADDRESSES) {
      expect([address, await review(address, admission)]).toEqual([address, undefined]);
      expect([address, await openSocket({ port: invalidation, plain: "plain", host: address })]).toEqual([
        address,
        undefined,
      ]);
      expect([address, await openSocket({ port: serve.port, plain: "plain", host: address })]).toEqual([
        address,
        undefined,
      ]);
    }
  });

  test("a webhook that would give values to everybody doesn't start", async () => {
    const { exitCode, stderr } = await runProgram(
      process.execPath,
      [CLI, "webhook", ...toArgs({ ...SETTINGS, "webhook.host": "0.0.0.0" })],
      { env: { HOME: tmpdir() } },
    );
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringMatching(/^error: .*Inline on 0\.0\.0\.0 .*webhook\.clientCA.*webhook\.allowInlineToEverybody/),
    ]);
  });

  test("with a CA for clients the API server gets values, and nobody else a connection", async () => {
    const home = mkdtempSync(join(tmpdir(), "flyte-secrets-ports-"));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const [apiServer, stranger] = [await createCertificate(), await createCertificate()];
    writeFileSync(join(home, "ca.pem"), apiServer.cert);
    const { admission } = await startBoth({
      "webhook.host": "0.0.0.0",
      "webhook.clientCA": join(home, "ca.pem"),
      "webhook.clientNames": "localhost",
    });
    for (const address of FOREIGN_ADDRESSES) {
      expect(await review(address, admission, apiServer)).toContain('"allowed":true');
      expect(await review(address, admission, stranger)).toBeUndefined();
      expect(await review(address, admission)).toBeUndefined();
    }
  });

  test("the port for invalidations is for this machine alone until somebody is given leave", async () => {
    const open = { "webhook.host": "0.0.0.0", "webhook.allowInlineToEverybody": "true" };
    const { invalidation } = await startBoth(open);
    for (const address of FOREIGN_ADDRESSES)
      expect(await openSocket({ port: invalidation, plain: "plain", host: address })).toBeUndefined();
    const listed = await startBoth({ ...open, "webhook.cacheInvalidationPeers": "192.0.2.0/24" });
    expect(await invalidate(listed.invalidation, ID)).toBe(401);
  });
});
