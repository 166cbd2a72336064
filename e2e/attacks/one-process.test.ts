import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { admitPod, caOf, ask as request, taskPod } from "@flyte-secrets/cli/testing";
import type { ServeProcess } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startAttackedService } from "./attacked-service.ts";
import { rawRequest, sendRaw } from "./send-raw.ts";
import { CHART_LIMIT_MIB, underAttack } from "./under-attack.ts";

const ROUNDS = 3;
/** Of each attack at the same time. */
const AT_ONCE = 5;
const OPEN = "/flyteidl2.auth.AuthMetadataService/GetPublicClientConfig";
const JSON_TYPE = "content-type: application/json";

let serve: ServeProcess;
let webhookPort: number;
let values = 0;

beforeAll(async () => {
  const settings = {
    "webhook.enabled": "true",
    "webhook.scopeBinding.domains": "dev",
    "webhook.listenPort": "0",
    "webhook.cacheInvalidationPort": "0",
    "secret.webhookURL": "",
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    "executor.healthProbeBindAddress": "127.0.0.1:0",
    "executor.metricsBindAddress": "",
  };
  serve = await startAttackedService(Object.entries(settings).flatMap(([path, value]) => [`--${path}`, value]));
  webhookPort = Number(/^Webhook on {3}port (\d+)$/m.exec(serve.output())?.[1]);
});

afterAll(async () => {
  await serve.close();
});

/** Writes a value by the service, and gets it by the webhook. */
async function ask(): Promise<void> {
  const value = `value ${values++}`;
  const headers = { authorization: `Bearer ${serve.token}`, "content-type": "application/json", connection: "close" };
  const url = `${serve.endpoint}/secrets/api/v1${values === 1 ? "" : "/name/api-key"}`;
  const body = JSON.stringify({
    id: { name: "api-key", project: "shop", domain: "dev" },
    secretSpec: { stringValue: value },
  });
  const written = await fetch(url, { method: values === 1 ? "POST" : "PUT", headers, body });
  if (written.status !== 200) throw new Error(`the service answered ${written.status}: ${await written.text()}`);
  const answer = await admitPod(webhookPort, {
    object: taskPod([request("api-key")]),
    caFile: caOf(serve.env.SECRET_STORE_PATH ?? ""),
  });
  const patch = Buffer.from(answer.patch ?? "", "base64").toString();
  if (!patch.includes(JSON.stringify(value))) throw new Error(`the webhook answered ${JSON.stringify(answer)}`);
}

const attacked = () => ({ pid: serve.process.pid ?? 0, ask });

test("service and webhook in one process: attacked on every port at once, both serve every time, in bounded memory", async () => {
  const bomb = gzipSync(Buffer.alloc(6_000_000, "x\u0001")).toString("latin1");
  const nested = gzipSync("[".repeat(6_000_000)).toString("latin1");
  const gzip = "content-encoding: gzip";
  const attacks: (() => Promise<unknown>)[] = [
    () =>
      sendRaw(serve.port, rawRequest(`POST ${OPEN}`, ["CliContext: h", "content-type: application/proto", gzip], bomb)),
    () => sendRaw(serve.port, rawRequest(`POST ${OPEN}`, ["CliContext: h", JSON_TYPE, gzip], nested)),
    () => sendRaw(serve.port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0\xff\xff\xff"),
    () => sendRaw(serve.port, "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\xfc\u0003\u0003"),
    () => sendRaw(webhookPort, rawRequest("POST /mutate--v1-pod", ["CliContext: h", JSON_TYPE], "{}")),
    () => sendRaw(webhookPort, "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\xfc\u0003\u0003"),
    () =>
      admitPod(webhookPort, {
        object: { spec: { containers: Array(5_000).fill({ name: "c" }) } },
        caFile: caOf(serve.env.SECRET_STORE_PATH ?? ""),
      }),
    () =>
      admitPod(webhookPort, {
        object: taskPod(Array.from({ length: 200 }, (_, at) => request(`none-${at}`))),
        caFile: caOf(serve.env.SECRET_STORE_PATH ?? ""),
      }),
  ];
  const idle = Array.from({ length: 200 }, (_, at) =>
    connect(at % 2 ? serve.port : webhookPort, "127.0.0.1").on("error", () => {}),
  );
  const report = await underAttack(attacked(), async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const all = Array.from({ length: AT_ONCE }, () => attacks).flat();
      await Promise.all(all.map((attack) => attack().catch(() => {})));
    }
  });
  for (const socket of idle) socket.destroy();
  expect(report).toMatchObject({ failures: [] });
  expect(report.peakMib).toBeLessThan(CHART_LIMIT_MIB);
});

test("service and webhook in one process: a value that is written while its pod is admitted is the old or the new one, never another secret's", async () => {
  await ask();
  const headers = { authorization: `Bearer ${serve.token}`, "content-type": "application/json" };
  const write = (name: string, stringValue: string) =>
    fetch(`${serve.endpoint}/secrets/api/v1/name/${name}`, {
      method: "PUT",
      headers,
      body: JSON.stringify({ id: { name, project: "shop", domain: "dev" }, secretSpec: { stringValue } }),
    });
  const seen: string[] = [];
  for (let round = 0; round < 20; round++) {
    const [, answer] = await Promise.all([
      write("api-key", `new ${round}`),
      admitPod(webhookPort, { object: taskPod([request("api-key")]), caFile: caOf(serve.env.SECRET_STORE_PATH ?? "") }),
    ]);
    seen.push(Buffer.from(answer.patch ?? "", "base64").toString());
  }
  expect(seen.filter((patch) => !/"(?:value|new) \d+"/.test(patch))).toEqual([]);
});
