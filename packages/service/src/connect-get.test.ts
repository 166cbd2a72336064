import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { compressionGzip, createConnectTransport } from "@connectrpc/connect-node";
import { SecretValue } from "@flyte-secrets/core";
import { ListSecretsRequestSchema, SecretService } from "@flyte-secrets/idl";
import { describe, expect, test } from "vitest";
import { type Received, send, sendHttp2 } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";

const SERVICE = "/flyteidl2.secret.SecretService";
const id = { name: "api-key", domain: "development", project: "my-project" };
const stored = { org: "flyte", ...id };
const read = ({ status, body }: Received): unknown => [status, JSON.parse(body.toString())];
const invalid = (message: unknown) => [400, { code: "invalid_argument", message }];

async function startWithSecret(config?: Parameters<typeof startTestService>[0]) {
  const service = await startTestService(config);
  await service.store.create(stored, { value: SecretValue.fromText("v"), type: "generic" });
  return service;
}

const query = (parameters: Record<string, string>) => `?${new URLSearchParams({ connect: "v1", ...parameters })}`;
const jsonQuery = (message: unknown) => query({ encoding: "json", message: JSON.stringify(message) });

const formats = [
  ["JSON over HTTP/1.1", { httpVersion: "1.1", useBinaryFormat: false }],
  ["binary over HTTP/1.1", { httpVersion: "1.1", useBinaryFormat: true }],
  ["JSON over HTTP/2", { httpVersion: "2", useBinaryFormat: false }],
  ["binary, gzipped, over HTTP/2", { httpVersion: "2", useBinaryFormat: true, sendCompression: compressionGzip }],
] as const;

test.each(formats)("a client that may use GET gets and lists by it and writes by POST: %s", async (_, format) => {
  const { url, log } = await startTestService();
  const options = { useHttpGet: true, compressMinBytes: 1, idleConnectionTimeoutMs: 100 };
  const client = createClient(SecretService, createConnectTransport({ baseUrl: url, ...options, ...format }));

  await client.createSecret({ id, secretSpec: { value: { case: "stringValue", value: "v" } } });
  expect((await client.getSecret({ id })).secret?.id).toMatchObject(id);
  expect((await client.listSecrets({ domain: "development", limit: 200 })).secrets).toHaveLength(1);
  await client.updateSecret({ id, secretSpec: { value: { case: "stringValue", value: "w" } } });
  await client.deleteSecret({ id });
  const missing = await client.getSecret({ id }).catch(ConnectError.from);
  expect(missing).toMatchObject({ code: Code.NotFound, rawMessage: "secret api-key not found" });
  const requests = log.filter(({ msg }) => msg === "request");
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `POST ${SERVICE}/CreateSecret`,
    `GET ${SERVICE}/GetSecret`,
    `GET ${SERVICE}/ListSecrets`,
    `POST ${SERVICE}/UpdateSecret`,
    `POST ${SERVICE}/DeleteSecret`,
    `GET ${SERVICE}/GetSecret`,
  ]);
});

test.each([
  ["HTTP/1.1", send],
  ["HTTP/2", sendHttp2],
])("no answer may be kept by a cache, whatever it says, over %s", async (_, sendIt) => {
  const { url } = await startWithSecret({ config: { auth: { mode: "token", token: "t0ken" } } });
  const headers = { authorization: "Bearer t0ken" };
  const post = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: ["{}"] };
  const missing = jsonQuery({ id: { ...id, name: "x" } });
  for (const [status, path, sent] of [
    [200, `${SERVICE}/GetSecret${jsonQuery({ id })}`, { headers }],
    [200, `${SERVICE}/ListSecrets${jsonQuery({})}`, { headers }],
    [200, `${SERVICE}/ListSecrets`, post],
    [200, "/secrets/api/v1", { headers }],
    [200, "/flyteidl2.auth.AuthMetadataService/GetPublicClientConfig?encoding=json&message=%7B%7D", {}],
    [404, `${SERVICE}/GetSecret${missing}`, { headers }],
    [400, `${SERVICE}/GetSecret${jsonQuery({})}`, { headers }],
    [401, `${SERVICE}/GetSecret${jsonQuery({ id })}`, {}],
    [415, `${SERVICE}/GetSecret?message=%7B%7D`, { headers }],
    [405, `${SERVICE}/DeleteSecret${jsonQuery({ id })}`, { headers }],
    [501, `${SERVICE}/ReadSecret${jsonQuery({ id })}`, { headers }],
  ] as const) {
    const answer = await sendIt(url + path, sent);
    expect([path, answer.status, answer.headers["cache-control"]]).toEqual([path, status, "no-store"]);
  }
});

test.each(["CreateSecret", "UpdateSecret", "DeleteSecret"])("%s has side effects: a GET of it is 405", async (call) => {
  const { url, store } = await startWithSecret();
  const answer = await send(`${url}${SERVICE}/${call}${jsonQuery({ id, secretSpec: { stringValue: "w" } })}`);
  expect([answer.status, answer.headers.allow]).toEqual([405, "POST"]);
  expect((await store.read(stored))?.revealText()).toBe("v");
});

test("the credentials are looked at before the query, and a web page may not call", async () => {
  const { url } = await startTestService({ config: { auth: { mode: "token", token: "t0ken" } } });
  expect((await send(`${url}${SERVICE}/ListSecrets?encoding=json&message=%ff`)).status).toBe(401);
  const open = await startWithSecret();
  const headers = { "sec-fetch-site": "cross-site" };
  expect((await send(`${open.url}${SERVICE}/ListSecrets${jsonQuery({})}`, { headers })).status).toBe(403);
});

test("the published descriptors don't declare it yet: once they do, the override in packages/idl has to go", () => {
  const published = SecretService.file.proto.service.flatMap(({ method }) => method);
  expect(published.map(({ name, options }) => [name, options?.idempotencyLevel ?? 0])).toEqual(
    ["CreateSecret", "UpdateSecret", "GetSecret", "DeleteSecret", "ListSecrets"].map((name) => [name, 0]),
  );
});

describe("what stands in the query is read as it was sent, or refused", () => {
  const list = (limit: number) => toBinary(ListSecretsRequestSchema, create(ListSecretsRequestSchema, { limit }));
  const bytes = Buffer.from(list(200)); // 20 c8 01: no UTF-8
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  // With an unknown field, whose bytes are four `+` in base64.
  const plus = Buffer.from([...list(1), 0x7a, 5, 0, 0, 0xfb, 0xef, 0xbe]).toString("base64");

  test.each([
    ["base64url without padding", `encoding=proto&base64=1&message=${bytes.toString("base64url")}`],
    [
      "base64 with padding",
      `encoding=proto&base64=1&message=${encodeURIComponent(Buffer.from(list(1)).toString("base64"))}`,
    ],
    ["gzip", `encoding=proto&base64=1&compression=gzip&message=${gzipSync(bytes).toString("base64url")}`],
    ["an empty binary message", "encoding=proto&base64=1&message="],
    ["a binary message that is UTF-8", `encoding=proto&message=%20%01`],
    ["JSON with fields and values of a newer Flyte", "encoding=json&message=%7B%22future%22%3A%7B%22a%22%3A1%7D%7D"],
    ["without a version", "encoding=json&message=%7B%7D"],
    ["parameters of others", "encoding=json&message=%7B%7D&trace=1&trace=2"],
  ])("%s is taken", async (_, parameters) => {
    const { url } = await startWithSecret();
    const answer = await send(`${url}${SERVICE}/ListSecrets?${parameters}`);
    expect(answer.status, answer.body.toString()).toBe(200);
  });

  test.each([
    ["bytes that are no UTF-8", `encoding=proto&message=${percent}`, expect.stringContaining("no UTF-8")],
    [
      "an escape that is none",
      "encoding=json&message=%7B%22token%22:%22%zz%22%7D",
      expect.stringContaining("no UTF-8"),
    ],
    [
      "two messages",
      "encoding=json&message=%7B%7D&message=%7B%22limit%22:1%7D",
      "message: is given more than once in the query",
    ],
    ["two encodings", "encoding=json&encoding=proto&message=%7B%7D", "encoding: is given more than once in the query"],
    ["base64 with an unescaped +", `encoding=proto&base64=1&message=${plus}`, expect.stringContaining("is no base64")],
    [
      "base64 of an impossible length",
      "encoding=proto&base64=1&message=AAAAA",
      expect.stringContaining("is no base64"),
    ],
    ["base64 that is padded wrongly", "encoding=proto&base64=1&message=EAE==", expect.stringContaining("is no base64")],
    ["base64 with line ends", "encoding=proto&base64=1&message=EA%0AE", expect.stringContaining("is no base64")],
    ["base64=true", "encoding=proto&base64=true&message=EAE", "base64: must be 1 where the query has it"],
    ["no message", "encoding=json", expect.stringContaining("not the request's JSON")],
    ["half a message", "encoding=json&message=%7B", expect.stringContaining("not the request's JSON")],
    ["no gzip", "encoding=json&compression=gzip&base64=1&message=AAAA", "decompression failed"],
    ["a field of another type", jsonQuery({ limit: "ten" }).slice(1), "limit: must be a int32 in JSON"],
  ])("%s is refused", async (_, parameters, message) => {
    const { url } = await startWithSecret();
    expect(plus).toContain("+");
    expect(read(await send(`${url}${SERVICE}/ListSecrets?${parameters}`))).toEqual(invalid(message));
  });

  test("a message over the call's limit is refused, gzipped or not", async () => {
    const { url } = await startTestService({ config: { auth: { mode: "token", token: "t0ken" } } });
    const open = `${url}/flyteidl2.auth.AuthMetadataService/GetPublicClientConfig?encoding=json`;
    const large = JSON.stringify({ future: "x".repeat(5_000) });
    const gzipped = `&compression=gzip&base64=1&message=${gzipSync(large).toString("base64url")}`;
    for (const parameters of [`&message=${encodeURIComponent(large)}`, gzipped]) {
      expect(read(await send(open + parameters))).toMatchObject([429, { code: "resource_exhausted" }]);
    }
  });

  test("a body beside the query counts for nothing", async () => {
    const { url } = await startWithSecret();
    const body = [JSON.stringify({ id: { name: "other" } })];
    const headers = { "content-type": "application/json", "content-length": String(body.join("").length) };
    const answer = await send(`${url}${SERVICE}/GetSecret${jsonQuery({ id })}`, { headers, body });
    expect(read(answer)).toMatchObject([200, { secret: { id } }]);
  });

  test("the log has the path without what was asked", async () => {
    const { url, log } = await startWithSecret();
    await send(`${url}${SERVICE}/GetSecret${jsonQuery({ id: { name: "canary-name" } })}`);
    expect(JSON.stringify(log)).not.toContain("canary-name");
  });
});
