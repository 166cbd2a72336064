import { once } from "node:events";
import { createServer, request } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { ClusterService, SecretService } from "@flyte-secrets/idl";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { secretService } from "./secret-service.ts";
import { send, sendHttp2 } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";

const CREATE = "/flyteidl2.secret.SecretService/CreateSecret";
const GET = "/flyteidl2.secret.SecretService/GetSecret";
const json = { "content-type": "application/json" };

async function mount(auth: { mode: "none" } | { mode: "token"; token: string } = { mode: "none" }) {
  const { store } = await startTestService();
  return secretService({
    store,
    config: { organization: "flyte", auth, webhookURL: "" },
    telemetry: { log: pino({ level: "silent" }) },
  });
}

async function start(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("on a server of somebody else", () => {
  test("the handler serves Node's http server", async () => {
    const { handler } = await mount();
    const url = await start(createServer(handler));
    const client = createClient(SecretService, createConnectTransport({ baseUrl: url, httpVersion: "1.1" }));
    await client.createSecret({ id: { name: "k" }, secretSpec: { value: { case: "stringValue", value: "v" } } });
    expect((await send(`${url}/secrets/api/v1/name/k`)).status).toBe(200);
  });

  test("the handler serves Node's http2 server", async () => {
    const { handler } = await mount();
    const url = await start(createHttp2Server(handler));
    const transport = createGrpcTransport({ baseUrl: url, idleConnectionTimeoutMs: 100 });
    const client = createClient(SecretService, transport);
    await client.createSecret({ id: { name: "k" }, secretSpec: { value: { case: "stringValue", value: "v" } } });
    expect((await sendHttp2(`${url}/healthz`)).body.toString()).toBe("OK");
  });

  test("a Connect router gets the services with authentication, limits and errors", async () => {
    const service = await mount({ mode: "token", token: "t0ken" });
    const url = await start(createServer(connectNodeAdapter({ routes: service.routes })));
    const post = (path: string, headers: Record<string, string>, body: string) =>
      send(url + path, { method: "POST", headers: { ...json, ...headers }, body: [body] });
    expect((await post(GET, {}, "{}")).status).toBe(401);
    const authorization = "Bearer t0ken";
    const missing = await post(GET, { authorization }, '{"id":{"name":"k"}}');
    expect(JSON.parse(missing.body.toString())).toEqual({ code: "not_found", message: "secret k not found" });
    const wrong = await post(CREATE, { authorization }, '{"secretSpec":{"stringValue":["canary"]}}');
    expect(JSON.parse(wrong.body.toString())).toEqual({
      code: "invalid_argument",
      message: "string_value: must be a string in JSON",
    });
    const select = await post(`/${ClusterService.typeName}/SelectCluster`, { authorization }, "{}");
    expect(JSON.parse(select.body.toString())).toEqual({ clusterEndpoint: url });
  });
});

test("each request is one line in the log at debug, with the code it failed with", async () => {
  const { url, log } = await startTestService();
  await send(`${url}/secrets/api/v1/name/missing?id.domain=d`);
  await sendHttp2(url + GET, {
    method: "POST",
    headers: { "content-type": "application/grpc" },
    body: [Buffer.alloc(5)],
  });
  await send(`${url}/healthz`);
  await expect.poll(() => log.length).toBe(3);
  expect(log.map(({ level, method, path, status, code }) => ({ level, method, path, status, code }))).toEqual([
    { level: 20, method: "GET", path: "/secrets/api/v1/name/missing", status: 404, code: "not_found" },
    { level: 20, method: "POST", path: GET, status: 200, code: "invalid_argument" },
    { level: 20, method: "GET", path: "/healthz", status: 200, code: undefined },
  ]);
});

/** A service whose GetSecret waits until its call is over; `called` resolves to the signal of the first one. */
async function startWaiting() {
  const { store } = await startTestService();
  const called = Promise.withResolvers<AbortSignal>();
  const waiting = new Proxy(store, {
    get: (target, name) =>
      name === "get"
        ? (_: unknown, { signal }: { signal: AbortSignal }) => {
            called.resolve(signal);
            return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
          }
        : Reflect.get(target, name, target),
  });
  const { handler } = secretService({
    store: waiting,
    config: { organization: "flyte", auth: { mode: "none" }, webhookURL: "" },
    telemetry: { log: pino({ level: "silent" }) },
  });
  return { url: await start(createServer(handler)), called: called.promise };
}

test("a time limit of the caller ends the call with deadline_exceeded", async () => {
  const { url } = await startWaiting();
  const headers = { ...json, "connect-timeout-ms": "20" };
  const answer = await send(url + GET, { method: "POST", headers, body: ['{"id":{"name":"k"}}'] });
  expect([answer.status, JSON.parse(answer.body.toString()).code]).toEqual([504, "deadline_exceeded"]);
});

test("a caller who goes away ends the call", async () => {
  const { url, called } = await startWaiting();
  const client = request(url + GET, { method: "POST", headers: json });
  client.on("error", () => {});
  client.end('{"id":{"name":"k"}}');
  const signal = await called;
  client.destroy();
  if (!signal.aborted) await once(signal, "abort");
  expect(ConnectError.from(signal.reason).code).toBe(Code.Canceled);
});

test("closing waits for the calls in flight", async () => {
  const { store } = await startTestService();
  const arrived = Promise.withResolvers<(found: undefined) => void>();
  const waiting = new Proxy(store, {
    get: (target, name) => (name === "get" ? () => new Promise(arrived.resolve) : Reflect.get(target, name, target)),
  });
  const service = secretService({
    store: waiting,
    config: { organization: "flyte", auth: { mode: "none" }, webhookURL: "" },
    telemetry: { log: pino({ level: "silent" }) },
  });
  const url = await start(createServer(service.handler));
  const answer = send(url + GET, { method: "POST", headers: json, body: ['{"id":{"name":"k"}}'] });
  const finish = await arrived.promise;
  let closed = false;
  const closing = service.close().then(() => {
    closed = true;
  });
  expect((await send(`${url}/readyz`)).status).toBe(503);
  expect(closed).toBe(false);
  finish(undefined);
  await closing;
  expect((await answer).status).toBe(404);
});
