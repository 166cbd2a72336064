import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request as requestHttp1 } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";
import { encodeSecretId, type SecretId, SecretValue } from "@flyte-secrets/core";
import { listen } from "@flyte-secrets/http";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { pino } from "pino";
import { createSecretService } from "../../secret-service.ts";
import { serveUnary } from "../serve-unary.ts";
import { createRandom, generateRequest, NAMES, TOKEN, type WireRequest } from "./generate-request.ts";

/** What came of one request: everything that a client sees of it, and what the server logged. */
export interface Outcome {
  readonly status?: number | undefined;
  readonly headers?: unknown;
  readonly trailers?: unknown;
  readonly body?: string;
  /** The code of the error that the client got in place of an answer. */
  readonly error?: unknown;
  /** Nothing when there was no answer: the order of the lines is that of the events of a broken connection. */
  readonly log: readonly unknown[];
}

export interface Comparison {
  readonly seed: number;
  readonly requests: number;
  /** Requests that the own path answered itself. */
  readonly ownPath: number;
  /** The first requests that the two paths answered in different ways. */
  readonly differences: readonly { readonly request: WireRequest; readonly own: Outcome; readonly library: Outcome }[];
}

const MAX_DIFFERENCES = 5;

/** Method and path of requests that may change something: by an RPC's name, or by REST. */
const WRITES = /^\w+ \/flyteidl2.*(Create|Update|Delete)|^(POST|PUT|DELETE) \/secrets/;

/**
 * Sends generated requests to two services over one store: one with the own path for unary calls, one whose calls the
 * Connect library answers. Compares status, headers but `date`, trailers, body, and the lines of the log. What a
 * request has written is undone before the other service gets it.
 */
export async function comparePaths({ seed, requests }: { seed: number; requests: number }): Promise<Comparison> {
  await using opened = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-paths-"));
  opened.defer(() => rmSync(directory, { recursive: true, force: true }));
  const store = await openEmbeddedStore({ directory });
  opened.defer(() => store.close());
  let ownPath = 0;
  const own = await startService(store, async (...request) => {
    const answered = await serveUnary(...request);
    if (answered) ownPath++;
    return answered;
  });
  opened.use(own);
  const library = await startService(store, undefined);
  opened.use(library);

  const kept = NAMES.slice(0, 2).flatMap((name): SecretId[] => [
    { org: "flyte", domain: "", project: "", name },
    { org: "flyte", domain: "development", project: "p", name },
    { org: "flyte", domain: "development", project: "", name },
  ]);
  const scope = { org: "flyte", domain: "", project: "" };
  const restore = async () => {
    const page = await store.list({ scope, limit: 100, token: "", clusterTokens: {}, includeSystem: true });
    const keys = new Set(kept.map(encodeSecretId));
    const added = page.entries.filter(({ id }) => !keys.has(encodeSecretId(id)));
    for (const { id } of added) await store.delete(id, { includeSystem: true });
    const there = new Set(page.entries.map(({ id }) => encodeSecretId(id)));
    const missing = kept.filter((id) => !there.has(encodeSecretId(id)));
    for (const id of missing) await store.create(id, { value: SecretValue.fromText("v"), type: "generic" });
  };

  const random = createRandom(seed);
  const differences: Comparison["differences"][number][] = [];
  let done = 0;
  while (done < requests && differences.length < MAX_DIFFERENCES) {
    const request = generateRequest(random);
    const isWrite = WRITES.test(`${request.method} ${request.path}`);
    if (done === 0) await restore();
    const first = await own.send(request);
    if (isWrite) await restore();
    const second = await library.send(request);
    if (isWrite) await restore();
    if (!isDeepStrictEqual(first, second)) differences.push({ request, own: first, library: second });
    done++;
  }
  return { seed, requests: done, ownPath, differences };
}

type Store = Parameters<typeof createSecretService>[0]["store"];

async function startService(store: Store, serve: typeof serveUnary | undefined) {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "debug", base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const auth = { mode: "token", token: TOKEN } as const;
  const config = { organization: "flyte", auth, webhookURL: "" };
  const service = createSecretService({ store, config, telemetry: { log } }, serve);
  const listener = await listen({ handler: service.handler, host: "127.0.0.1", port: 0 });
  const client = createWireClient(listener.port);
  return {
    async send(request: WireRequest): Promise<Outcome> {
      const received = await client.send(request);
      // A request that was answered with an error of the connection may never have become one of the service.
      const last = received.error === undefined ? request : { ...request, ...PROBE };
      if (last !== request) await client.send(last);
      // The line of a request is written when its answer is closed, which a client does not see.
      const isOver = () => lines.some(({ msg, path }) => msg === "request" && path === last.path.split("?")[0]);
      while (!isOver()) await new Promise((resolve) => setImmediate(resolve));
      const logged = lines.splice(0).filter(({ msg }) => msg !== UNSENT);
      return { ...received, log: received.error === undefined ? logged.map(toComparable) : [] };
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await Promise.all([service.close(), listener.close({ graceMs: 0 })]);
    },
  };
}

/** Comes at any time after a client's connection has failed. */
const UNSENT = "the answer could not be sent";

const PROBE = { method: "GET", path: "/healthz", headers: {}, body: [] };

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** A line of the log without what differs from one run to the next. */
function toComparable({ time, ms, err, ...line }: Record<string, unknown>): unknown {
  return JSON.parse(JSON.stringify(line).replaceAll(UUID, "ID"));
}

/** A client that keeps its connections, and changes nothing of a request. */
function createWireClient(port: number) {
  const agent = new Agent({ keepAlive: true });
  let session: ClientHttp2Session | undefined;

  const sendHttp1 = ({ method, path, headers, body }: WireRequest) =>
    new Promise<Omit<Outcome, "log">>((resolve) => {
      const fail = (error: unknown) => resolve({ error: codeOf(error) });
      const sent = requestHttp1({ host: "127.0.0.1", port, agent, method, path, headers, setHost: false });
      sent.once("error", fail);
      sent.once("response", (response) => {
        buffer(response).then((received) => {
          const { statusCode: status, rawHeaders, rawTrailers } = response;
          resolve({ status, headers: toPairs(rawHeaders), trailers: rawTrailers, body: toText(received) });
        }, fail);
      });
      for (const piece of body) sent.write(piece);
      sent.end();
    });

  const sendHttp2 = ({ method, path, headers, body }: WireRequest) =>
    new Promise<Omit<Outcome, "log">>((resolve) => {
      const fail = (error: unknown) => resolve({ error: codeOf(error) });
      if (session === undefined || session.closed || session.destroyed) {
        session = connect(`http://127.0.0.1:${port}`);
        session.on("error", () => {});
      }
      const stream = session.request({ ":method": method, ":path": path, ...headers });
      let head: Record<string, unknown> = {};
      let trailers: unknown;
      stream.once("error", fail);
      stream.once("response", (received) => {
        head = { ...received };
      });
      stream.once("trailers", (received) => {
        trailers = { ...received };
      });
      buffer(stream).then((received) => {
        const { ":status": status, date: _, ...rest } = head;
        resolve({ status: Number(status), headers: Object.entries(rest), trailers, body: toText(received) });
      }, fail);
      for (const piece of body) stream.write(piece);
      stream.end();
    });

  return {
    send: (request: WireRequest) => (request.http === "1.1" ? sendHttp1(request) : sendHttp2(request)),
    close() {
      agent.destroy();
      session?.destroy();
    },
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : String(error);
}

/** Headers in the order that they were received in, without the date. */
function toPairs(raw: readonly string[]): unknown {
  const pairs = raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1]]] : []));
  return pairs.filter(([name]) => name?.toLowerCase() !== "date");
}

function toText(body: Buffer): string {
  return body.toString("latin1").replaceAll(UUID, "ID");
}
