import { once } from "node:events";
import { connect } from "node:http2";
import { SecretValue } from "@flyte-secrets/core";
import { expect, onTestFinished, test } from "vitest";
import { send } from "./testing/send.ts";
import { startTestService, type TestService } from "./testing/start-test-service.ts";

const LIST = "/flyteidl2.secret.SecretService/ListSecrets";
const MAX_BODY_BYTES = 1024 * 1024;
/** About 400 KB as JSON. */
const SECRETS = 1_000;

async function startWithSecrets() {
  const service = await startTestService({ config: { maxBodyBytes: MAX_BODY_BYTES } });
  const names = Array.from({ length: SECRETS }, (_, at) => `${"long-name-".repeat(12)}${at}`);
  const value = SecretValue.fromText("v");
  await Promise.all(
    names.map((name) =>
      service.store.create({ org: "flyte", domain: "", project: "", name }, { value, type: "generic" }),
    ),
  );
  return service;
}

async function heldBytes({ url }: TestService): Promise<number> {
  const { body } = await send(`${url}/metrics`);
  return Number(/^rpc_server_requests_bytes (\d+)$/m.exec(body.toString())?.[1]);
}

const ways = {
  "POST, answered by our own path": {
    headers: { ":method": "POST", ":path": LIST, "content-type": "application/json" },
    body: JSON.stringify({ limit: 10_000 }),
  },
  "GET, answered by the library": {
    headers: { ":method": "GET", ":path": `${LIST}?encoding=json&message=${encodeURIComponent('{"limit":10000}')}` },
    body: undefined,
  },
};

test.each(Object.entries(ways))("responses that nobody reads give way to others: %s", async (_, { headers, body }) => {
  const service = await startWithSecrets();
  // Reads nothing of what it is sent.
  const session = connect(service.url, { settings: { initialWindowSize: 0 } });
  onTestFinished(() => session.destroy());
  await once(session, "remoteSettings");
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const stream = session.request(headers, { endStream: body === undefined });
      stream.on("error", () => {});
      if (body !== undefined) stream.end(body);
      const [answer] = await once(stream, "response");
      return { stream, status: answer[":status"] };
    }),
  );
  const isOver = ({ stream, status }: (typeof outcomes)[number]) => stream.closed || status === 503;
  await expect.poll(() => outcomes.filter(isOver).length).toBeGreaterThanOrEqual(15);
  expect(await heldBytes(service)).toBeLessThanOrEqual(MAX_BODY_BYTES);

  const asked = { method: "POST", headers: { "content-type": "application/json" }, body: ['{"limit":10000}'] };
  const page = await send(service.url + LIST, asked);
  expect(page.status).toBe(200);
  expect(JSON.parse(page.body.toString()).secrets).toHaveLength(SECRETS);
  session.destroy();
  await expect.poll(() => heldBytes(service)).toBe(0);
});

test("one response may be larger than all are to be together", async () => {
  const service = await startTestService({ config: { maxBodyBytes: 1_000 } });
  await service.store.create(
    { org: "flyte", domain: "", project: "", name: "n".repeat(200) },
    { value: SecretValue.fromText("v"), type: "generic" },
  );
  for (let at = 0; at < 10; at++) {
    const name = `${"n".repeat(200)}${at}`;
    await service.store.create(
      { org: "flyte", domain: "", project: "", name },
      { value: SecretValue.fromText("v"), type: "generic" },
    );
  }
  const page = await send(service.url + LIST, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: ["{}"],
  });
  expect(page.status).toBe(200);
  expect(page.body.byteLength).toBeGreaterThan(1_000);
});
