import { type ClientHttp2Session, connect } from "node:http2";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { SecretService } from "@flyte-secrets/idl";
import { expect, onTestFinished, test, vi } from "vitest";
import { send } from "./testing/send.ts";
import { startTestService, type TestService } from "./testing/start-test-service.ts";

const json = { "content-type": "application/json" };
const PATH = "/flyteidl2.secret.SecretService";

const list = ({ url }: TestService) =>
  send(`${url}${PATH}/ListSecrets`, { method: "POST", headers: json, body: ["{}"] });

/** Sends a request on an HTTP/2 connection and resolves with the status of its response. */
function request(session: ClientHttp2Session, path: string, body?: object): Promise<number> {
  const stream = session.request({ ":method": body ? "POST" : "GET", ":path": path, ...json });
  stream.end(body && JSON.stringify(body));
  return new Promise((resolve, reject) => {
    stream.once("error", reject);
    stream.once("response", ({ ":status": status }) => resolve(Number(status)));
  });
}

/** A service that answers two calls at a time, both of which wait for another process to unlock the store. */
async function startFull() {
  const service = await startTestService({ config: { maxRequests: 2 } });
  const other = new DatabaseSync(join(service.directory, "store.db"));
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  const session = connect(service.url);
  onTestFinished(() => session.destroy());
  const waiting = ["a", "b"].map((name) =>
    request(session, `${PATH}/CreateSecret`, { id: { name }, secretSpec: { stringValue: "v" } }),
  );
  // What is sent after the calls on their connection is answered once they have arrived.
  for (let turn = 0; turn < 3; turn++) await request(session, "/healthz");
  return { service, waiting, unlock: () => other.exec("COMMIT") };
}

test("calls over the limit are refused at once with unavailable and a time to wait, and counted; those before them are answered", async () => {
  const { service, waiting, unlock } = await startFull();
  const refused = await list(service);
  expect({ ...refused, body: JSON.parse(refused.body.toString()) }).toMatchObject({
    status: 503,
    headers: { "retry-after": "1" },
    body: {
      code: "unavailable",
      message: "the server is answering as many calls as it can (secret.server.limits.requests): try again in a second",
    },
  });
  expect((await send(`${service.url}/secrets/api/v1`)).status).toBe(503);
  for (const transport of [
    createGrpcTransport({ baseUrl: service.url }),
    createGrpcWebTransport({ baseUrl: service.url, httpVersion: "1.1" }),
  ]) {
    const error = await createClient(SecretService, transport).listSecrets({}).catch(ConnectError.from);
    if (!(error instanceof ConnectError)) throw new Error("the call was answered");
    expect([error.code, error.metadata.get("retry-after"), error.metadata.get("grpc-retry-pushback-ms")]).toEqual([
      Code.Unavailable,
      "1",
      "1000",
    ]);
  }
  unlock();
  expect(await Promise.all(waiting)).toEqual([200, 200]);
  await vi.waitFor(async () => expect((await list(service)).status).toBe(200));
  const metrics = (await send(`${service.url}/metrics`)).body.toString();
  expect(Number(/^rpc_server_requests_refused_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThanOrEqual(4);
  expect(metrics).toMatch(/rpc_method="ListSecrets",protocol="grpc",code="unavailable"\} 1/);
});

test("probes and metrics are answered while calls are refused", async () => {
  const { service, waiting, unlock } = await startFull();
  for (const path of ["/healthz", "/readyz", "/metrics"]) expect((await send(service.url + path)).status).toBe(200);
  unlock();
  await Promise.all(waiting);
});
