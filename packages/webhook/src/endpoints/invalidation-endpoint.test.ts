import type { SecretId } from "@flyte-secrets/core";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { createInvalidationEndpoint, type InvalidationEndpointOptions } from "./invalidation-endpoint.ts";
import { serveEndpoint } from "./serve-endpoint.ts";

const ID = { org: "flyte", domain: "d", project: "p", name: "n" };

async function serve(allowed: Pick<InvalidationEndpointOptions, "token" | "isPeer"> = {}) {
  const invalidated: unknown[] = [];
  const invalidate = (id: SecretId) => void invalidated.push(id);
  const endpoint = createInvalidationEndpoint({ invalidate, perSecond: 10, ...allowed });
  const log = pino({ level: "silent" });
  const listener = await serveEndpoint({ endpoint, host: "127.0.0.1", port: 0, setting: "test", log });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  const call = async (init: RequestInit & { path?: string }) => {
    const response = await fetch(`http://127.0.0.1:${listener.port}${init.path ?? "/invalidate-secret"}`, init);
    return { status: response.status, text: await response.text() };
  };
  return { call, invalidated };
}

const post = (body: unknown, headers: Record<string, string> = {}) => ({
  method: "POST",
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: { "content-type": "application/json", ...headers },
});

it("forgets the secret that it is told of, at whatever scope", async () => {
  const { call, invalidated } = await serve();
  expect(await call(post(ID))).toEqual({ status: 200, text: "ok\n" });
  expect(await call(post({ name: "n", org: null }))).toMatchObject({ status: 400 });
  expect(await call(post({ name: "n" }))).toEqual({ status: 200, text: "ok\n" });
  expect(invalidated).toEqual([ID, { org: "", domain: "", project: "", name: "n" }]);
});

const NO_ID = 'the body must be JSON such as {"org":"flyte","project":"p","domain":"d","name":"n"}, with a name\n';
const LABEL = 'must be a DNS-1123 label: 1 to 63 of a-z, 0-9 and "-", with a letter or digit at both ends\n';

it.each([
  ["no JSON", "{", NO_ID],
  ["no object", "null", NO_ID],
  ["no name", { ...ID, name: "" }, NO_ID],
  ["a name that is no text", { ...ID, name: 1 }, NO_ID],
  ["nothing", "", NO_ID],
  [
    "C2: a project without a domain",
    { ...ID, domain: "" },
    'project-scoped secrets must also specify a domain, got project="p" domain=""\n',
  ],
  ["a domain that is none", { ...ID, domain: "d__e" }, `domain: ${LABEL}`],
  ["a project that is none", { ...ID, project: "P" }, `project: ${LABEL}`],
  ["an organization that is none", { ...ID, org: "-" }, `organization: ${LABEL}`],
])("answers 400 for %s", async (_, body, text) => {
  const { call, invalidated } = await serve();
  expect(await call(post(body))).toEqual({ status: 400, text });
  expect(invalidated).toEqual([]);
});

it.each([
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
  "",
])("takes no word from a web page, which can send the type %j without asking", async (type) => {
  const { call, invalidated } = await serve();
  expect(await call(post(ID, { "content-type": type }))).toEqual({
    status: 415,
    text: "the content type must be application/json\n",
  });
  expect(invalidated).toEqual([]);
});

it("takes nothing but POST at its path", async () => {
  const { call } = await serve();
  expect(await call({ method: "GET" })).toEqual({ status: 405, text: "use POST\n" });
  expect(await call({ ...post(ID), path: "/" })).toEqual({ status: 404, text: "there is /invalidate-secret here\n" });
});

const UNAUTHENTICATED = {
  status: 401,
  text:
    "send the token of webhook.cacheInvalidationTokenFile or cacheInvalidationTokenSecret as bearer token, " +
    "or be listed in webhook.cacheInvalidationPeers\n",
};

it("takes no word from those without the token, where there is one", async () => {
  const { call, invalidated } = await serve({ token: "a-token-of-some-length" });
  expect(await call(post(ID))).toEqual(UNAUTHENTICATED);
  expect(await call(post(ID, { authorization: "Bearer another-token-of-length" }))).toEqual(UNAUTHENTICATED);
  expect(await call(post(ID, { authorization: "Bearer a-token-of-some-length" }))).toMatchObject({ status: 200 });
  expect(invalidated).toEqual([ID]);
});

it("takes no more calls than it is told to, and those without leave don't count", async () => {
  const { call, invalidated } = await serve({ token: "a-token-of-some-length" });
  for (let count = 0; count < 20; count++) expect(await call(post(ID))).toEqual(UNAUTHENTICATED);
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => call(post(ID, { authorization: "Bearer a-token-of-some-length" }))),
  );
  const refused = answers.filter(({ status }) => status !== 200);
  expect(answers.length - refused.length).toBe(invalidated.length);
  expect(invalidated.length).toBeGreaterThanOrEqual(10);
  expect(refused.length).toBeGreaterThan(0);
  expect(new Set(refused.map(({ status, text }) => `${status} ${text}`))).toEqual(
    new Set(["429 more than 10 calls a second (webhook.limits.invalidationsPerSecond)\n"]),
  );
});

it("takes the word of the peers that are listed, who can send no token, and of nobody else", async () => {
  const listed = await serve({ isPeer: (address) => address.startsWith("127."), token: "a-token-of-some-length" });
  expect(await listed.call(post(ID))).toMatchObject({ status: 200 });
  const elsewhere = await serve({ isPeer: (address) => address.startsWith("10.") });
  expect(await elsewhere.call(post(ID))).toEqual(UNAUTHENTICATED);
});
