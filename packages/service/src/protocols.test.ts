import { gunzipSync, gzipSync } from "node:zlib";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { SecretValue } from "@flyte-secrets/core";
import { SecretService } from "@flyte-secrets/idl";
import { createCertificate } from "@flyte-secrets/testkit";
import { describe, expect, test } from "vitest";
import { type Received, send, sendHttp2 } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";
import { TRANSPORTS } from "./testing/transports.ts";

const SERVICE = "/flyteidl2.secret.SecretService";
const OTHER = "/flyteidl2.task.TaskService/DeployTask";
const json = { "content-type": "application/json" };

function readJson({ body }: Received): unknown {
  return JSON.parse(body.toString());
}

describe.each(["without TLS", "with TLS"])("%s", (mode) => {
  test.each(Object.entries(TRANSPORTS))("all five calls work over %s", async (_, createTransport) => {
    const { url, store } = await startTestService(mode === "with TLS" ? { tls: await createCertificate() } : {});
    const client = createClient(SecretService, createTransport(url));
    const id = { name: "api-key", domain: "development", project: "my-project" };

    await client.createSecret({ id, secretSpec: { value: { case: "binaryValue", value: Uint8Array.of(0, 255) } } });
    await client.updateSecret({ id, secretSpec: { value: { case: "stringValue", value: "naïve 🔑" } } });
    const stored = await store.read({ org: "flyte", ...id });
    expect(stored?.revealText()).toBe("naïve 🔑");

    const { secret } = await client.getSecret({ id });
    expect(secret?.id).toMatchObject(id);
    const { secrets, token } = await client.listSecrets({ domain: "development" });
    expect([secrets.map((entry) => entry.id?.name), token]).toEqual([["api-key"], ""]);

    await client.deleteSecret({ id });
    const error = await client.getSecret({ id }).catch(ConnectError.from);
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: "secret api-key not found" });
  });
});

test("answers are gzipped where the client takes it and there is enough to gain", async () => {
  const { url, store } = await startTestService();
  for (let i = 0; i < 30; i++) {
    const id = { org: "flyte", domain: "", project: "", name: `secret-${i}` };
    await store.create(id, { value: SecretValue.fromText("v"), type: "generic" });
  }
  const headers = { ...json, "accept-encoding": "gzip,identity" };
  const answer = await send(`${url}${SERVICE}/ListSecrets`, { method: "POST", headers, body: ["{}"] });
  expect(answer.headers).toMatchObject({ "content-encoding": "gzip" });
  expect(JSON.parse(gunzipSync(answer.body).toString()).secrets).toHaveLength(30);
  const plain = await send(`${url}${SERVICE}/ListSecrets`, { method: "POST", headers: json, body: ["{}"] });
  expect(plain.headers).not.toHaveProperty("content-encoding");
});

test("a gzipped request body is taken on the REST routes too", async () => {
  const { url } = await startTestService();
  const body = [gzipSync('{"id":{"name":"k"},"secretSpec":{"stringValue":"v"}}')];
  const headers = { ...json, "content-encoding": "gzip" };
  expect(await send(`${url}/secrets/api/v1`, { method: "POST", headers, body })).toMatchObject({ status: 200 });
});

describe("RPCs that this server doesn't offer are unimplemented", () => {
  const message = "flyteidl2.task.TaskService/DeployTask is not offered by this server";

  test.each(["application/json", "application/proto"])("in Connect, %s", async (contentType) => {
    const { url } = await startTestService();
    const answer = await send(url + OTHER, { method: "POST", headers: { "content-type": contentType }, body: ["x"] });
    expect([answer.status, readJson(answer)]).toEqual([501, { code: "unimplemented", message }]);
  });

  test("in Connect GET", async () => {
    const { url } = await startTestService();
    const answer = await send(`${url}${OTHER}?connect=v1&encoding=json&message=%7B%7D`);
    expect([answer.status, readJson(answer)]).toEqual([501, { code: "unimplemented", message }]);
  });

  test("in Connect streaming", async () => {
    const { url } = await startTestService();
    const headers = { "content-type": "application/connect+json" };
    const { status, body } = await send(url + OTHER, { method: "POST", headers, body: [] });
    expect([status, JSON.parse(body.subarray(5).toString())]).toEqual([
      200,
      { error: { code: "unimplemented", message } },
    ]);
  });

  test("in gRPC", async () => {
    const { url } = await startTestService();
    const headers = { "content-type": "application/grpc", te: "trailers" };
    const { status, trailers } = await sendHttp2(url + OTHER, { method: "POST", headers, body: [Buffer.alloc(5)] });
    expect([status, trailers["grpc-status"]]).toEqual([200, "12"]);
    expect(decodeURIComponent(String(trailers["grpc-message"]))).toBe(message);
  });

  test("in gRPC-Web", async () => {
    const { url } = await startTestService();
    const headers = { "content-type": "application/grpc-web+proto" };
    const { status, body } = await send(url + OTHER, { method: "POST", headers, body: [Buffer.alloc(5)] });
    expect(status).toBe(200);
    expect(body.toString()).toContain("grpc-status: 12");
  });

  test("also when the service is ours and the method isn't", async () => {
    const { url } = await startTestService();
    const answer = await send(`${url}${SERVICE}/ReadSecret`, { method: "POST", headers: json, body: ["{}"] });
    expect(answer.status).toBe(501);
  });
});

test.each([
  "/",
  "/favicon.ico",
  "/secrets/api/v2",
  "/secrets/api/v1/name/",
  "/flyteidl2/x",
  "//x",
])("other paths, such as %s, are 404 with a reason", async (path) => {
  const { url } = await startTestService();
  const answer = await send(url + path);
  expect([answer.status, readJson(answer)]).toEqual([
    404,
    {
      code: "unimplemented",
      message: "there is nothing at this path: RPCs are at /PACKAGE.SERVICE/METHOD, REST under /secrets/api/v1",
    },
  ]);
});
