import { once } from "node:events";
import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";
import { SecretValue } from "@flyte-secrets/core";
import { expect, onTestFinished, test } from "vitest";
import { send } from "./testing/send.ts";
import { startTestService, type TestService } from "./testing/start-test-service.ts";

const SERVICE = "/flyteidl2.secret.SecretService";
const [CREATE, GET, LIST] = [`${SERVICE}/CreateSecret`, `${SERVICE}/GetSecret`, `${SERVICE}/ListSecrets`];
/** The request for all of them in one page. */
const ALL = '{"limit":10000}';
const MAX_BODY_BYTES = 1024 * 1024;
/** About 400 KB in JSON. */
const NAMES = Array.from({ length: 1_000 }, (_, at) => `${"long-name-".repeat(12)}${at}`);

async function startWithSecrets(maxBodyBytes = MAX_BODY_BYTES) {
  const service = await startTestService({ config: { maxBodyBytes } });
  const value = SecretValue.fromText("v");
  await Promise.all(
    NAMES.map((name) =>
      service.store.create({ org: "flyte", domain: "", project: "", name }, { value, type: "generic" }),
    ),
  );
  return service;
}

async function heldBytes({ url }: TestService): Promise<number> {
  const { body } = await send(`${url}/metrics`);
  return Number(/^rpc_server_requests_bytes (\d+)$/m.exec(body.toString())?.[1]);
}

function post({ url }: TestService, path: string, body: string) {
  return send(url + path, { method: "POST", headers: { "content-type": "application/json" }, body: [body] });
}

const ways = {
  "POST, answered by our own path": {
    headers: { ":method": "POST", ":path": LIST, "content-type": "application/json" },
    body: ALL,
  },
  "GET, answered by the library": {
    headers: { ":method": "GET", ":path": `${LIST}?encoding=json&message=${encodeURIComponent(ALL)}` },
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

  const page = await post(service, LIST, ALL);
  expect(page.status).toBe(200);
  expect(JSON.parse(page.body.toString()).secrets).toHaveLength(NAMES.length);
  session.destroy();
  await expect.poll(() => heldBytes(service)).toBe(0);
});

test("bodies that do not arrive give way to responses, the small and the large ones", async () => {
  const service = await startWithSecrets();
  const request = JSON.stringify({ id: { name: NAMES[0] } });
  const head = `POST ${CREATE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
  let promised = 0;
  // The first makes room for the request, and for nothing of its response.
  for (const length of [request.length, MAX_BODY_BYTES / 2, MAX_BODY_BYTES / 2 - request.length]) {
    const socket = connectSocket(service.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(`${head}content-length: ${length}\r\n\r\n{`);
    promised += length;
    await expect.poll(() => heldBytes(service)).toBe(promised);
  }
  expect((await post(service, GET, request)).status).toBe(200);
  expect(await heldBytes(service)).toBeGreaterThan(MAX_BODY_BYTES - 1_000);
  expect((await post(service, LIST, ALL)).status).toBe(200);
});

test("one response may be larger than all are to be together", async () => {
  const service = await startWithSecrets(1_000);
  const page = await post(service, LIST, ALL);
  expect(page.status).toBe(200);
  expect(JSON.parse(page.body.toString()).secrets).toHaveLength(NAMES.length);
});
