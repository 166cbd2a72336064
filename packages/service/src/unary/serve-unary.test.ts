import { gzipSync } from "node:zlib";
import { listen } from "@flyte-secrets/http";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { createSecretService } from "../secret-service.ts";
import { send } from "../testing/send.ts";
import { serveUnary } from "./serve-unary.ts";

/** The service, and whether each call so far was answered on the own path. */
async function setUp() {
  const store = await openEmbeddedStore({ directory: createTemporaryDirectory() });
  onTestFinished(() => store.close());
  const ownPath: boolean[] = [];
  const { handler } = createSecretService(
    {
      store,
      config: { organization: "flyte", auth: { mode: "none" }, webhookURL: "" },
      telemetry: { log: pino({ enabled: false }) },
    },
    async (...call) => {
      const isAnswered = await serveUnary(...call);
      ownPath.push(isAnswered);
      return isAnswered;
    },
  );
  const listener = await listen({ handler, host: "127.0.0.1", port: 0 });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  const origin = `http://127.0.0.1:${listener.port}`;
  return { ownPath, origin, url: `${origin}/flyteidl2.secret.SecretService/ListSecrets` };
}

test("what clients send is answered on the own path: RPCs, Connect's GET and REST, and what they don't is not", async () => {
  const { ownPath, origin, url } = await setUp();
  const json = { "content-type": "application/json" };
  const member = `${origin}/secrets/api/v1/name/k`;
  const spec = '"secretSpec":{"stringValue":"v"}';
  const statuses = [
    await send(`${origin}/secrets/api/v1`, { method: "POST", headers: json, body: [`{"id":{"name":"k"},${spec}}`] }),
    await send(url, { method: "POST", headers: json, body: ["{}"] }),
    await send(`${url}?connect=v1&encoding=json&message=%7B%7D`),
    await send(`${origin}/secrets/api/v1?limit=1`),
    await send(member, { method: "PUT", headers: json, body: [`{${spec}}`] }),
    await send(member),
    await send(member, { method: "DELETE" }),
    await send(member),
    await send(`${url}?connect=v1&encoding=xml&message=%7B%7D`),
    await send(`${origin}/secrets/api/v1?limit=x`),
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 200, 404, 415, 400]);
  expect(ownPath).toEqual([...Array(8).fill(true), false, false]);
});

test("a gzipped body of many bytes is not decompressed where it would block other calls, however small it gets", async () => {
  const { ownPath, url } = await setUp();
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const small = gzipSync("{}");
  const nothing = Buffer.concat(Array(1_000).fill(gzipSync("")));
  for (const body of [small, Buffer.concat([nothing, small])]) {
    const { status, body: answer } = await send(url, { method: "POST", headers, body: [body] });
    expect([status, answer.toString()]).toEqual([200, "{}"]);
  }
  expect(ownPath).toEqual([true, false]);
});
