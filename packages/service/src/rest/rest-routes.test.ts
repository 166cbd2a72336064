import { SecretValue } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { type Received, type Sent, send, sendHttp2 } from "../testing/send.ts";
import { startTestService, type TestService } from "../testing/start-test-service.ts";

const BASE = "/secrets/api/v1";
const SCOPE = "id.domain=development&id.project=my-project";
const id = { name: "api-key", domain: "development", project: "my-project" };
const stored = { org: "flyte", ...id };
const json = { "content-type": "application/json" };

const read = ({ status, body }: Received): unknown => [status, JSON.parse(body.toString())];
const write = (method: string, message: unknown): Sent => ({ method, headers: json, body: [JSON.stringify(message)] });

async function startWithSecret(config?: Parameters<typeof startTestService>[0]): Promise<TestService> {
  const service = await startTestService(config);
  await service.store.create(stored, { value: SecretValue.fromText("v"), type: "generic" });
  return service;
}

test.each([
  ["HTTP/1.1", send],
  ["HTTP/2", sendHttp2],
])("creates, updates, gets, lists and deletes over %s", async (_, sendIt) => {
  const { url, store } = await startTestService();
  expect(read(await sendIt(url + BASE, write("POST", { id, secretSpec: { stringValue: "one" } })))).toEqual([200, {}]);
  const update = write("PUT", { id: { ...id, name: "other" }, secretSpec: { stringValue: "two" } });
  expect(read(await sendIt(`${url}${BASE}/name/api-key`, update))).toEqual([200, {}]);
  expect((await store.read(stored))?.revealText()).toBe("two");
  const organization = "my-host";
  const got = await sendIt(`${url}${BASE}/name/api-key?${SCOPE}&id.organization=${organization}&id.name=other`);
  expect(read(got)).toMatchObject([200, { secret: { id: { ...id, organization } } }]);
  expect(read(await sendIt(`${url}${BASE}?domain=development&limit=1`))).toMatchObject([200, { secrets: [{ id }] }]);
  expect(read(await sendIt(`${url}${BASE}/name/api-key?${SCOPE}`, { method: "DELETE" }))).toEqual([200, {}]);
  expect(await store.get(stored)).toBeUndefined();
});

test("takes the name of an update from the path when the body has no id", async () => {
  const { url, store } = await startTestService();
  await send(url + BASE, write("POST", { id: { name: "k" }, secretSpec: { stringValue: "one" } }));
  const update = write("PUT", { secret_spec: { string_value: "two" } });
  expect(read(await send(`${url}${BASE}/name/k`, update))).toEqual([200, {}]);
  expect((await store.read({ org: "flyte", domain: "", project: "", name: "k" }))?.revealText()).toBe("two");
});

test.each([
  ["none", {}],
  ["a form's", { "content-type": "application/x-www-form-urlencoded" }],
  ["plain text's", { "content-type": "text/plain;charset=utf-8" }],
  ["one that only mentions JSON", { "content-type": "text/plain; a=application/json" }],
])("refuses a body with a content type that a web page may send: %s", async (_, headers) => {
  const { url, store } = await startTestService();
  const body = [JSON.stringify({ id, secretSpec: { stringValue: "v" } })];
  expect((await send(url + BASE, { method: "POST", headers, body })).status).toBe(415);
  expect((await send(`${url}${BASE}/name/api-key`, { method: "PUT", headers, body })).status).toBe(415);
  expect(await store.get(stored)).toBeUndefined();
});

test("shows system secrets when the query asks for them, in either spelling", async () => {
  const { url, store } = await startWithSecret();
  await store.setSystem(stored, true);
  for (const [query, status] of [
    ["", 404],
    ["&include_system_secrets=false", 404],
    ["&include_system_secrets=true", 200],
    ["&includeSystemSecrets=true", 200],
  ] as const) {
    expect((await send(`${url}${BASE}/name/api-key?${SCOPE}${query}`)).status).toBe(status);
  }
  expect(read(await send(`${url}${BASE}?include_system_secrets=true`))).toMatchObject([200, { secrets: [{ id }] }]);
});

const invalid = (message: unknown) => [400, { code: "invalid_argument", message }];

test.each([
  [
    `/name/api-key?id.project=p`,
    invalid('project-scoped secrets must also specify a domain, got project="p" domain=""'),
  ],
  [`/name/a.b`, [404, { code: "not_found", message: "secret a.b not found" }]],
  [`/name/a+b`, invalid("id.name: does not match regex pattern `^[-a-zA-Z0-9_]+$` [string.pattern]")],
  [`/name/%zz`, invalid("id.name: does not match regex pattern `^[-a-zA-Z0-9_]+$` [string.pattern]")],
  [`/name/missing`, [404, { code: "not_found", message: "secret missing not found" }]],
  [`/name/api-key?include_system_secrets=perhaps`, invalid("include_system_secrets: must be true or false")],
  ["?limit=-1", invalid("limit: must not be negative; 0 is a page of 500")],
  ["?limit=ten", invalid("limit: must be a whole number of at most 32 bits")],
  ["?limit=1&limit=2", invalid("limit: is given more than once")],
  ["?token=x", invalid(expect.stringMatching(/token/))],
])("answers errors of GET %s as Connect does", async (path, expected) => {
  const { url } = await startTestService();
  expect(read(await send(url + BASE + path))).toEqual(expected);
});

test.each([
  ["PATCH", "", "POST, GET"],
  ["DELETE", "", "POST, GET"],
  ["POST", "/name/k", "PUT, GET, DELETE"],
])("refuses %s %s and says what the path takes", async (method, path, allow) => {
  const { url } = await startTestService();
  const answer = await send(url + BASE + path, { method });
  expect(read(answer)).toEqual([405, { code: "unimplemented", message: `this path takes ${allow}` }]);
  expect(answer.headers.allow).toBe(allow);
});

test("looks at the credentials before the query", async () => {
  const { url } = await startTestService({ config: { auth: { mode: "token", token: "t0ken" } } });
  expect((await send(`${url}${BASE}?limit=ten`)).status).toBe(401);
  const headers = { authorization: "Bearer t0ken" };
  expect((await send(`${url}${BASE}?limit=ten`, { headers })).status).toBe(400);
});
