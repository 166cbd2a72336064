import { once } from "node:events";
import { createServer as createHttpServer, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { inspect } from "node:util";
import { SecretsError, systemClock } from "@flyte-secrets/core";
import { createCertificate, createManualClock, type ManualClock } from "@flyte-secrets/testkit";
import { expect, onTestFinished, test, vi } from "vitest";
import { createKubeClient, type KubeClient, nextLimit } from "./client.ts";
import type { ClusterConnection } from "./connection.ts";
import { type CredentialSource, createStaticCredentials } from "./credentials.ts";
import { SECRETS } from "./objects.ts";
import type { ObservedRequest } from "./requests.ts";
import { type Answer, startScriptedApiServer, status, tooLong } from "./testing/scripted-api-server.ts";

const REFERENCE = { namespace: "flyte", name: "one" };
const CANARY = "canary-5d2a";
const SECRET = { apiVersion: "v1", kind: "Secret", metadata: REFERENCE, data: { value: btoa(CANARY) } };
const FOUND = { status: 200, json: SECRET };

/** Lets the client's waits pass until the promise settles. */
async function passTime<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => {});
  while (!isSettled) await clock.advance(100);
  return settled;
}

test("each operation is the request that the API's conventions want", async () => {
  const list = { status: 200, json: { metadata: { resourceVersion: "7", continue: "next" }, items: [SECRET] } };
  const api = await startScriptedApiServer([FOUND, list, FOUND, FOUND, FOUND, FOUND, FOUND]);
  const client = api.connect(systemClock);
  expect(await client.get(SECRETS, REFERENCE)).toEqual(SECRET);
  expect(await client.list(SECRETS, { namespace: "flyte", labelSelector: "a=b", limit: 2, continue: "here" })).toEqual({
    items: [SECRET],
    resourceVersion: "7",
    continue: "next",
  });
  await client.create(SECRETS, SECRET, { dryRun: true });
  await client.replace(SECRETS, SECRET);
  await client.patch(SECRETS, { ...REFERENCE, patch: { data: null } });
  expect(await client.delete(SECRETS, { ...REFERENCE, preconditions: { uid: "u" } })).toBe(true);
  expect((await client.request("GET", "/version")).body).toEqual(SECRET);
  const one = "/api/v1/namespaces/flyte/secrets/one";
  expect(api.seen.map(({ method, url, body }) => [method, url, body])).toEqual([
    ["GET", one, ""],
    ["GET", "/api/v1/namespaces/flyte/secrets?labelSelector=a%3Db&limit=2&continue=here", ""],
    ["POST", "/api/v1/namespaces/flyte/secrets?dryRun=All", JSON.stringify(SECRET)],
    ["PUT", one, JSON.stringify(SECRET)],
    ["PATCH", one, '{"data":null}'],
    ["DELETE", one, '{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u"}}'],
    ["GET", "/version", ""],
  ]);
});

test("what is not there is undefined to get and false to delete", async () => {
  const absent = status(404, "NotFound", { details: { name: "one", kind: "secrets" } });
  const api = await startScriptedApiServer([absent, absent, absent]);
  const client = api.connect(systemClock);
  expect(await client.get(SECRETS, REFERENCE)).toBeUndefined();
  expect(await client.delete(SECRETS, REFERENCE)).toBe(false);
  await expect(client.replace(SECRETS, SECRET)).rejects.toMatchObject({ code: "not_found" });
});

test.each([
  ["credentials_refused", status(401, "Unauthorized"), /refuses our credentials\.$/],
  [
    "credentials_refused",
    status(403, "Forbidden", { message: 'secrets is forbidden: User "u" cannot create resource "secrets"' }),
    /^create secrets one in namespace flyte: we have no permission to create secrets in namespace flyte\. Grant it to the account u of the API server https?:\S+ \(.*\), by a Role in namespace flyte with the rule \{apiGroups: \[""\], resources: \[secrets\], verbs: \[create\]\}\.$/,
  ],
  [
    "credentials_refused",
    status(403, "Forbidden", {
      message: `secrets "one" is forbidden: User "sys\u001b\\"${"x".repeat(250)}" cannot create resource "secrets"`,
    }),
    /Grant it to the account sys\\u001b.{1,120} of the API server http/,
  ],
  [
    "too_many_secrets",
    status(403, "Forbidden", { message: `secrets "one" is forbidden: exceeded quota: few, requested: ${CANARY}` }),
    "create secrets one in namespace flyte: a ResourceQuota of namespace flyte is used up. Raise it, or try again later.",
  ],
  [
    "call_refused",
    status(403, "Forbidden", { message: `admission webhook "policy" denied ${CANARY}` }),
    "create secrets one in namespace flyte: an admission rule refuses it, or we have no permission to create secrets in namespace flyte.",
  ],
  [
    "call_refused",
    status(403, "Forbidden", {
      details: { causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }] },
    }),
    "create secrets one in namespace flyte: namespace flyte is being deleted.",
  ],
  [
    "call_refused",
    status(404, "NotFound", { details: { kind: "namespaces", name: "flyte" } }),
    "create secrets one in namespace flyte: namespace flyte does not exist. Create it.",
  ],
  ["already_exists", status(409, "AlreadyExists"), /it exists already\.$/],
  ["conflict", status(409, "Conflict"), /somebody else changed it meanwhile\.$/],
  ["page_token_expired", status(410, "Expired"), /List again\.$/],
  ["value_too_large", status(413, "RequestEntityTooLarge"), /limit for objects\.$/],
  [
    "invalid_argument",
    status(422, "Invalid", {
      message: `data: Invalid value: "${CANARY}"`,
      details: { causes: [{ reason: "FieldValueInvalid", field: "data[a/b]", message: CANARY }] },
    }),
    /the API server refuses it with 422 \(Invalid\): data\[a\/b\] \(FieldValueInvalid\)\.$/,
  ],
  [
    "value_too_large",
    status(422, "Invalid", { details: { causes: [{ reason: "FieldValueTooLong", field: "data" }] } }),
    /data \(FieldValueTooLong\)\.$/,
  ],
  ["store_unavailable", status(500, "InternalError", { message: CANARY }), /answers 500 \(InternalError\)\.$/],
  ["store_unavailable", { status: 502, json: `<html>${CANARY}` }, /answers 502\.$/],
] as const)("an answer means %s, and its words stay out", async (code, answer, message) => {
  const api = await startScriptedApiServer([answer]);
  const error: unknown = await api
    .connect(systemClock)
    .create(SECRETS, SECRET)
    .catch((thrown) => thrown);
  const matching = typeof message === "string" ? message : expect.stringMatching(message);
  expect(error).toMatchObject({ code, message: matching });
  expect(`${error} ${JSON.stringify(error)} ${error instanceof Error && error.cause}`).not.toContain(CANARY);
});

test("a busy API server is asked again when it says, and given up after ten times", async () => {
  const busy = { status: 429, json: {}, headers: { "retry-after": "2" } };
  const observed: ObservedRequest[] = [];
  const clock = createManualClock();
  const api = await startScriptedApiServer([busy, { ...busy, status: 503 }, FOUND, ...Array(10).fill(busy)]);
  const client = api.connect(clock, { observe: (request) => observed.push(request), timeoutMs: 60_000 });
  const started = clock.elapsed();
  expect(await passTime(clock, client.create(SECRETS, SECRET))).toEqual(SECRET);
  expect(clock.elapsed() - started).toBeGreaterThanOrEqual(4000);
  expect(observed.map(({ status, waitedMs, tookMs, ...rest }) => [status, rest])).toEqual(
    [429, 503, 200].map((code) => [code, { verb: "create", resource: "secrets" }]),
  );
  await expect(passTime(clock, client.create(SECRETS, SECRET))).rejects.toMatchObject({
    code: "store_unavailable",
    message: `create secrets one in namespace flyte: ${api.server} is busy.`,
  });
  expect(api.seen).toHaveLength(13);
});

test("a call that gets no answer ends at its time limit", async () => {
  const clock = createManualClock();
  const api = await startScriptedApiServer([]);
  const calling = api.connect(clock, { timeoutMs: 5000 }).get(SECRETS, REFERENCE);
  calling.catch(() => {});
  await untilSeen(api.seen, 1);
  await clock.advance(5000);
  await expect(calling).rejects.toMatchObject({
    code: "deadline_exceeded",
    message: `${api.server} did not answer within 5000 ms.`,
  });
  expect(clock.timers).toBe(0);
});

test("a caller that gives up and a client that is closed end what is in flight", async () => {
  const api = await startScriptedApiServer([]);
  const client = api.connect(systemClock);
  const givingUp = new AbortController();
  const given = client.get(SECRETS, REFERENCE, { signal: givingUp.signal });
  const timed = client.get(SECRETS, REFERENCE, { signal: AbortSignal.timeout(20) });
  const other = client.get(SECRETS, REFERENCE);
  for (const call of [given, timed, other]) call.catch(() => {});
  await untilSeen(api.seen, 3);
  givingUp.abort();
  await expect(given).rejects.toMatchObject({ code: "canceled" });
  await expect(timed).rejects.toMatchObject({ code: "deadline_exceeded" });
  client.close();
  await expect(other).rejects.toMatchObject({ code: "canceled", message: "The Kubernetes client is closed." });
});

test("a kept connection that the server has closed costs a reader nothing", async () => {
  const api = await startScriptedApiServer([
    FOUND,
    // The connection ends with no answer, as when an API server goes away.
    (res) => res.destroy(),
    FOUND,
    (res) => res.destroy(),
  ]);
  const client = api.connect(systemClock);
  await client.get(SECRETS, REFERENCE);
  expect(await client.get(SECRETS, REFERENCE)).toEqual(SECRET);
  await expect(client.create(SECRETS, SECRET)).rejects.toMatchObject({
    code: "store_unavailable",
    message: `create secrets one in namespace flyte: ${api.server} cannot be reached (ECONNRESET).`,
  });
});

test("credentials that were refused are renewed once", async () => {
  const refused = status(401, "Unauthorized");
  const api = await startScriptedApiServer([refused, FOUND, refused, refused]);
  let token = 1;
  const credentials = {
    current: async () => ({ headers: { authorization: `Bearer ${token}` } }),
    renew: () => {
      token += 1;
      return true;
    },
    close: () => {},
  };
  const client = api.connect(systemClock, { credentials });
  expect(await client.get(SECRETS, REFERENCE)).toEqual(SECRET);
  await expect(client.get(SECRETS, REFERENCE)).rejects.toMatchObject({ code: "credentials_refused" });
  expect(api.seen.map(({ authorization }) => authorization)).toEqual(["Bearer 1", "Bearer 2", "Bearer 2", "Bearer 3"]);
});

test("a call whose time passes while credentials are got says what took it, and closing ends that", async () => {
  const api = await startScriptedApiServer([]);
  const clock = createManualClock();
  const close = vi.fn();
  const credentials: CredentialSource = {
    current: (signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(new SecretsError("deadline_exceeded", "The plugin is slow.")));
      }),
    renew: () => true,
    close,
  };
  const client = api.connect(clock, { credentials, timeoutMs: 1000 });
  const call = expect(client.get(SECRETS, REFERENCE)).rejects.toThrow("The plugin is slow.");
  await clock.advance(1000);
  await call;
  client.close();
  expect(close).toHaveBeenCalledOnce();
  expect(api.seen).toEqual([]);
});

test("credentials that no header can carry are named as the fault, and not shown", async () => {
  const api = await startScriptedApiServer([]);
  const credentials = createStaticCredentials({ headers: { authorization: "Bearer canary\n" } });
  const call = api.connect(systemClock, { credentials }).get(SECRETS, REFERENCE);
  await expect(call).rejects.toMatchObject({
    code: "credentials_refused",
    message: expect.stringMatching(
      /^(?!.*canary).* have a character that no HTTP header can have, such as a line break\.$/,
    ),
  });
});

const line = (type: string, resourceVersion: string) =>
  `${JSON.stringify({ type, object: { metadata: { name: "ö", resourceVersion } } })}\n`;

/** The events of a watch up to its end or error. */
async function watchAll(client: KubeClient) {
  const events: unknown[] = [];
  try {
    const query = { namespace: "flyte", resourceVersion: "1", timeoutSeconds: 9 };
    for await (const event of client.watch(SECRETS, query)) {
      events.push([event.type, "resourceVersion" in event ? event.resourceVersion : ""]);
    }
  } catch (error) {
    events.push(error);
  }
  return events;
}

test("a watch gives each line as an event, however it is cut, until it ends", async () => {
  const bytes = Buffer.from(line("ADDED", "2") + line("MODIFIED", "3") + line("BOOKMARK", "4") + line("DELETED", "5"));
  const api = await startScriptedApiServer([
    async (res) => {
      for (const byte of bytes) await new Promise((resolve) => res.write(Buffer.of(byte), resolve));
      res.end();
    },
  ]);
  expect(await watchAll(api.connect(systemClock))).toEqual([
    ["OPENED", ""],
    ["ADDED", "2"],
    ["MODIFIED", "3"],
    ["BOOKMARK", "4"],
    ["DELETED", "5"],
  ]);
  expect(api.seen[0]?.url).toBe(
    "/api/v1/namespaces/flyte/secrets?watch=true&allowWatchBookmarks=true&resourceVersion=1&timeoutSeconds=9",
  );
});

test("a place that is forgotten is an event, whether it is said at once or on the way", async () => {
  const gone = JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } });
  const api = await startScriptedApiServer([status(410, "Expired"), (res) => res.end(`${gone}\n`)]);
  const client = api.connect(systemClock);
  expect(await watchAll(client)).toEqual([["EXPIRED", ""]]);
  expect(await watchAll(client)).toEqual([
    ["OPENED", ""],
    ["EXPIRED", ""],
  ]);
});

test("a watch that breaks, is refused or reports an error throws", async () => {
  const api = await startScriptedApiServer([
    (res) => {
      res.write(`${line("ADDED", "2")}{"type":`);
      setImmediate(() => res.destroy());
    },
    status(403, "Forbidden", { message: 'User "u" cannot watch resource "secrets"' }),
    (res) => res.end(`{"type":"ERROR","object":{"kind":"Status","code":500,"reason":"InternalError"}}\n`),
  ]);
  const client = api.connect(systemClock);
  const unavailable = expect.objectContaining({ code: "store_unavailable" });
  expect(await watchAll(client)).toEqual([["OPENED", ""], ["ADDED", "2"], unavailable]);
  expect(await watchAll(client)).toEqual([expect.objectContaining({ code: "credentials_refused" })]);
  expect(await watchAll(client)).toEqual([["OPENED", ""], unavailable]);
});

/** Requests take real time, which a manual clock knows nothing of. */
async function untilSeen(seen: readonly unknown[], count: number): Promise<void> {
  while (seen.length < count) await new Promise((resolve) => setImmediate(resolve));
}

test("an API server that speaks TLS, or does not, or has the wrong certificate, is told with the remedy", async () => {
  const serving = await createCertificate();
  const answer = (_: unknown, res: ServerResponse) => void res.end("{}");
  const secure = await portOf(createHttpsServer(serving, answer));
  const plain = await portOf(createHttpServer(answer));
  const go = await portOf(
    createHttpServer((_, res) => res.writeHead(400).end("Client sent an HTTP request to an HTTPS server.\n")),
  );
  const ask = async (server: string, tls: ClusterConnection["tls"] = {}) => {
    const credentials = createStaticCredentials({ headers: {} });
    const connection = { server: new URL(server), source: "test", namespace: undefined, tls, credentials };
    const client = createKubeClient({ connection, qps: 100, burst: 100, timeoutMs: 30_000, clock: systemClock });
    onTestFinished(() => client.close());
    return await client.request("GET", "/version").then(String, (error: Error) => error.message);
  };
  expect(await ask(`https://127.0.0.1:${plain}`)).toBe(
    `get /version: the API server https://127.0.0.1:${plain} (test) does not speak TLS. If it speaks plain HTTP, write http:// in its address.`,
  );
  expect(await ask(`http://127.0.0.1:${go}`)).toBe(
    `get /version: the API server http://127.0.0.1:${go} (test) does not answer to plain HTTP (400). If it speaks TLS, write https:// in its address.`,
  );
  expect(await ask(`https://127.0.0.1:${secure}`)).toMatch(
    /\(test\) is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. Check its certificate-authority\.$/,
  );
  expect(await ask(`https://127.0.0.1:${secure}`, { ca: serving.cert, servername: "api.example.com" })).toMatch(
    /is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)\. Use a name that it has, or set its tls-server-name\.$/,
  );
});

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test.each([
  ["a Secret", (client: KubeClient) => client.get(SECRETS, REFERENCE)],
  ["a list without a limit", (client: KubeClient) => client.list(SECRETS, {})],
  ["a page of one object", (client: KubeClient) => client.list(SECRETS, { limit: 1 })],
])("an answer that is too long for %s is read up to 20 MiB, and its connection is closed", async (_, call) => {
  const closed = Promise.withResolvers<boolean>();
  const api = await startScriptedApiServer([tooLong(200, closed.resolve)]);
  await expect(call(api.connect(systemClock))).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringContaining(`${api.server} answers with more than 20971520 bytes`),
  });
  expect(await closed.promise).toBe(false);
});

const PAGE = "<html>canary-5d2a</html>";
const sends =
  (text: string): Answer =>
  (res) =>
    res.writeHead(200).end(text);
const watchOnce = async (client: KubeClient) => {
  for await (const { type } of client.watch(SECRETS, { resourceVersion: "1", timeoutSeconds: 60 })) if (!type) return;
};

test.each<[string, string, (client: KubeClient) => Promise<unknown>]>([
  ["a page", PAGE, (client) => client.get(SECRETS, REFERENCE)],
  ["no body", "", (client) => client.get(SECRETS, REFERENCE)],
  ["a JSON of others", '{"ok":true}', (client) => client.create(SECRETS, SECRET)],
  ["null", "null", (client) => client.replace(SECRETS, SECRET)],
  ["a text", '"ok"', (client) => client.patch(SECRETS, { ...REFERENCE, patch: {} })],
  ["a page", PAGE, (client) => client.list(SECRETS, {})],
  ["metadata of others", '{"metadata":"x","items":[]}', (client) => client.list(SECRETS, {})],
  ["a list without items", '{"metadata":{"resourceVersion":"7"}}', (client) => client.list(SECRETS, {})],
  ["a list of others", '{"metadata":{},"items":[1]}', (client) => client.list(SECRETS, {})],
  ["a page", `${PAGE}\n`, watchOnce],
  ["null", "null\n", watchOnce],
  ["an error of others", '{"type":"ERROR"}\n', watchOnce],
  ["an event without an object", '{"type":"ADDED"}\n', watchOnce],
  ["a bookmark of others", '{"type":"BOOKMARK","object":1}\n', watchOnce],
  ["an event of others", '{"type":"PING"}\n', watchOnce],
])("an answer of 200 that is %s instead of Kubernetes' (%j) is said to be that", async (_, text, call) => {
  const api = await startScriptedApiServer([sends(text)]);
  const failure = await call(api.connect(systemClock)).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "store_unavailable",
    message: expect.stringContaining(`${api.server} answers with something else than Kubernetes does.`),
  });
  expect(inspect(failure, { depth: 10 })).not.toContain(CANARY);
});

test("a page that is over 8 MiB is asked for again with half as many objects, until it is not", async () => {
  const object = (size: number) => ({ ...SECRET, data: { key: "x".repeat(size) } });
  const page = (items: object[]) => ({ status: 200, json: { metadata: { resourceVersion: "7" }, items } });
  const large = page(Array(5).fill(object(2_000_000)));
  const api = await startScriptedApiServer([large, large, page([SECRET]), page([object(9_000_000)])]);
  const client = api.connect(systemClock);
  expect((await client.list(SECRETS, { limit: 5, continue: "here" })).items).toEqual([SECRET]);
  // One object may be longer than that.
  expect((await client.list(SECRETS, { limit: 1 })).items).toHaveLength(1);
  expect(api.seen.map(({ url }) => url?.split("?")[1])).toEqual([
    "limit=5&continue=here",
    "limit=2&continue=here",
    "limit=1&continue=here",
    "limit=1",
  ]);
});

test("a page has twice as many objects as the one before, up to the limit", () => {
  const after = (count: number) => nextLimit({ items: Array(count), resourceVersion: "" }, 100);
  expect([0, 1, 7, 50, 80].map(after)).toEqual([2, 2, 14, 100, 100]);
});

test.each([
  ["busy", 429, { "retry-after": "0" }],
  ["refusing credentials that can be renewed", 401, {}],
])("a long answer of an API server that is %s is given up, and the call repeated", async (_, code, headers) => {
  const closed = Promise.withResolvers<boolean>();
  const api = await startScriptedApiServer([tooLong(code, closed.resolve, headers), FOUND]);
  const credentials = { ...createStaticCredentials({ headers: {} }), renew: () => true };
  expect(await api.connect(systemClock, { credentials }).get(SECRETS, REFERENCE)).toEqual(SECRET);
  expect(await closed.promise).toBe(false);
});

test("a watch whose line is too long fails, and its connection is closed", async () => {
  const closed = Promise.withResolvers<boolean>();
  const api = await startScriptedApiServer([tooLong(200, closed.resolve)]);
  const events: string[] = [];
  const watch = async () => {
    const query = { resourceVersion: "1", timeoutSeconds: 60 };
    for await (const { type } of api.connect(systemClock).watch(SECRETS, query)) events.push(type);
  };
  await expect(watch()).rejects.toMatchObject({
    code: "store_unavailable",
    message: expect.stringContaining("answers with more than 20971520 bytes"),
  });
  expect(events).toEqual(["OPENED"]);
  expect(await closed.promise).toBe(false);
});

test("an event of a watch may arrive in many pieces, of which one has the end of several", async () => {
  const event = (name: string) => `${JSON.stringify({ type: "ADDED", object: { metadata: { name } } })}\n`;
  const text = event("é") + event("b") + event("c");
  const middle = text.indexOf("}") - 4;
  const pieces = [...Array.from(Buffer.from(text).subarray(0, middle), (byte) => Buffer.from([byte]))];
  const api = await startScriptedApiServer([
    async (res) => {
      for (const piece of [...pieces, Buffer.from(text).subarray(middle)]) {
        res.write(piece);
        await new Promise(setImmediate);
      }
      res.end();
    },
  ]);
  const seen: string[] = [];
  for await (const event of api.connect(systemClock).watch(SECRETS, { resourceVersion: "1", timeoutSeconds: 60 })) {
    if ("object" in event) seen.push(event.object.metadata.name);
  }
  expect(seen).toEqual(["é", "b", "c"]);
});
