import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { isSecretsError } from "@flyte-secrets/core";
import { createInvalidationEndpoint, serveEndpoint } from "@flyte-secrets/webhook/testing";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { createInvalidation, parseWebhookUrl } from "./invalidation.ts";
import { send } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";

const id = { org: "flyte", domain: "d", project: "p", name: "k" };

function startWebhook(status: number | undefined) {
  const received: unknown[] = [];
  const server = createServer(async (req, res) => {
    received.push([req.method, req.url, req.headers.host, JSON.parse(await text(req))]);
    if (status !== undefined) res.writeHead(status).end();
  });
  onTestFinished(() => void server.close().closeAllConnections());
  return new Promise<{ url: string; port: number; received: unknown[] }>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      resolve({ url: `http://127.0.0.1:${port}`, port, received });
    });
  });
}

function collectLog() {
  const lines: { level: number; msg: string; failures: string[] }[] = [];
  return { lines, log: pino({ level: "trace" }, { write: (line: string) => void lines.push(JSON.parse(line)) }) };
}

test.each([
  ["http://localhost:9444", "http://localhost:9444/invalidate-secret"],
  ["localhost", "http://localhost:9444/invalidate-secret"],
  ["flyte-webhook-headless.flyte.svc:80", "http://flyte-webhook-headless.flyte.svc/invalidate-secret"],
  ["https://hook/base/", "https://hook:9444/base/invalidate-secret"],
  ["[::1]", "http://[::1]:9444/invalidate-secret"],
])("%s is told at %s", (given, expected) => {
  expect(parseWebhookUrl(given).href).toBe(expected);
});

test.each(["http://", "ftp://host", "a b"])("%s is refused as a setting", (given) => {
  const parse = () => parseWebhookUrl(given);
  expect(parse).toThrow(/^secret\.webhookURL: /);
  expect(parse).toThrow(expect.toSatisfy((error) => isSecretsError(error, "invalid_config")));
});

test("every write is told, a delete that finds nothing too, reads and refused writes are not", async () => {
  const webhook = await startWebhook(200);
  const { url } = await startTestService({ config: { webhookURL: webhook.url } });
  const body = [JSON.stringify({ id: { name: "k", domain: "d", project: "p" }, secretSpec: { stringValue: "v" } })];
  const headers = { "content-type": "application/json" };
  const path = `${url}/secrets/api/v1/name/k?id.domain=d&id.project=p`;
  const told = ["POST", "/invalidate-secret", `127.0.0.1:${webhook.port}`, id];

  await send(`${url}/secrets/api/v1`, { method: "POST", headers, body });
  expect(webhook.received).toEqual([told]);
  await send(`${url}/secrets/api/v1`, { method: "POST", headers, body });
  await send(path);
  expect(webhook.received).toEqual([told]);
  await send(path, { method: "PUT", headers, body });
  await send(path, { method: "DELETE" });
  expect((await send(path, { method: "DELETE" })).status).toBe(404);
  expect(webhook.received).toEqual([told, told, told, told]);
});

describe("what goes wrong is a warning, and no failure", () => {
  test("when the webhook answers with an error", async () => {
    const webhook = await startWebhook(500);
    const { lines, log } = collectLog();
    await createInvalidation({ webhookURL: webhook.url, log })(id);
    expect(lines).toMatchObject([
      { level: 40, msg: "cache not invalidated on 1/1 webhook pod(s)", failures: ["127.0.0.1 answered 500"] },
    ]);
  });

  test("when nobody listens, and the write succeeds", async () => {
    const { port } = await startTestService();
    const unused = `http://127.0.0.1:${port}`;
    const { url, log, close } = await startTestService({ config: { webhookURL: "http://127.0.0.1:1" } });
    expect(unused).not.toBe(url);
    const body = ['{"id":{"name":"k"},"secretSpec":{"stringValue":"v"}}'];
    const headers = { "content-type": "application/json" };
    expect((await send(`${url}/secrets/api/v1`, { method: "POST", headers, body })).status).toBe(200);
    expect(log).toContainEqual(
      expect.objectContaining({ level: 40, msg: "cache not invalidated on 1/1 webhook pod(s)" }),
    );
    await close();
  });

  test("when no answer comes in time", async () => {
    const webhook = await startWebhook(undefined);
    const { lines, log } = collectLog();
    await createInvalidation({ webhookURL: webhook.url, log, timeoutMs: 50 })(id);
    expect(lines).toMatchObject([{ level: 40, msg: "cache not invalidated on 1/1 webhook pod(s)" }]);
  });

  test("when the host has no address", async () => {
    const { lines, log } = collectLog();
    await createInvalidation({ webhookURL: "http://no-such-host.invalid", log, timeoutMs: 2_000 })(id);
    expect(lines).toMatchObject([{ level: 40, msg: "cache not invalidated: the webhook's host is not known" }]);
  });
});

test("the webhook's own endpoint takes what is told with the token that both were given", async () => {
  const invalidated: unknown[] = [];
  const token = "a-token-of-some-length";
  const invalidate = (id: unknown) => void invalidated.push(id);
  const endpoint = createInvalidationEndpoint({ token, invalidate, perSecond: 10 });
  const silent = pino({ level: "silent" });
  const listener = await serveEndpoint({ endpoint, host: "127.0.0.1", port: 0, setting: "port", log: silent });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  const webhookURL = `http://127.0.0.1:${listener.port}`;
  const { lines, log } = collectLog();
  await createInvalidation({ webhookURL, token, log })(id);
  expect([invalidated, lines]).toEqual([[id], []]);
  await createInvalidation({ webhookURL, log })(id);
  expect([invalidated.length, lines.map(({ msg }) => msg)]).toEqual([
    1,
    ["cache not invalidated on 1/1 webhook pod(s)"],
  ]);
});
