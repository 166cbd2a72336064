import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { createInvalidationEndpoint } from "./invalidation-endpoint.ts";
import { listenHttp1 } from "./listen-http1.ts";

const ID = { org: "flyte", domain: "d", project: "p", name: "n" };

async function serve(token?: string) {
  const invalidated: unknown[] = [];
  const handler = createInvalidationEndpoint({
    invalidate: (id) => void invalidated.push(id),
    ...(token !== undefined && { token }),
  });
  const log = pino({ level: "silent" });
  const listener = await listenHttp1({ handler, host: "127.0.0.1", port: 0, setting: "test", log });
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
  headers,
});

it("forgets the secret that it is told of, at whatever scope", async () => {
  const { call, invalidated } = await serve();
  expect(await call(post(ID))).toEqual({ status: 200, text: "ok\n" });
  expect(await call(post({ name: "n", org: null }))).toMatchObject({ status: 400 });
  expect(await call(post({ name: "n" }))).toEqual({ status: 200, text: "ok\n" });
  expect(invalidated).toEqual([ID, { org: "", domain: "", project: "", name: "n" }]);
});

it.each([
  ["no JSON", "{"],
  ["no object", "null"],
  ["no name", { ...ID, name: "" }],
  ["a name that is no text", { ...ID, name: 1 }],
  ["nothing", ""],
  ["far too much", " ".repeat(100_000)],
])("answers 400 for %s", async (_, body) => {
  const { call, invalidated } = await serve();
  expect(await call(post(body))).toEqual({
    status: 400,
    text: 'the body must be JSON such as {"org":"flyte","project":"p","domain":"d","name":"n"}, with a name\n',
  });
  expect(invalidated).toEqual([]);
});

it("takes nothing but POST at its path", async () => {
  const { call } = await serve();
  expect(await call({ method: "GET" })).toEqual({ status: 405, text: "use POST\n" });
  expect(await call({ ...post(ID), path: "/" })).toEqual({ status: 404, text: "there is /invalidate-secret here\n" });
});

it("takes no word from those without the token, where there is one", async () => {
  const { call, invalidated } = await serve("a-token-of-some-length");
  const refused = {
    status: 401,
    text: "send the token of webhook.cacheInvalidationTokenFile as bearer token\n",
  };
  expect(await call(post(ID))).toEqual(refused);
  expect(await call(post(ID, { authorization: "Bearer another-token-of-length" }))).toEqual(refused);
  expect(await call(post(ID, { authorization: "Bearer a-token-of-some-length" }))).toMatchObject({ status: 200 });
  expect(invalidated).toEqual([ID]);
});
