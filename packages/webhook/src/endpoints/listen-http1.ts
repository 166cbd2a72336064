import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type ServerOptions,
  ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { closeOnce } from "@flyte-secrets/core";
import {
  type ConnectionLimits,
  createConnectionTable,
  type TrackedConnection,
  toListenFailure,
} from "@flyte-secrets/http";
import type { Logger } from "pino";
import { answerRequests, type RequestObserver } from "../admission/answer-requests.ts";
import { createRequestBudget } from "../admission/request-budget.ts";
import { type ClientCertificates, hasClientName } from "./client-certificates.ts";
import type { Endpoint } from "./endpoint.ts";

/** A certificate chain and its private key, in PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** How much a listener puts up with. */
export interface Http1Limits extends ConnectionLimits {
  /** Of all requests under way: their bodies, and 8 KiB each. */
  readonly maxRequestsBytes: number;
}

/** For a port with few callers and small requests: probes, scrapers, invalidations. */
export const FEW_CALLERS: Http1Limits = {
  maxConnections: 256,
  maxConnectionsPerAddress: 0,
  maxRequestsBytes: 4 * 1024 * 1024,
};

export interface Http1Options {
  readonly endpoint: Endpoint;
  /** Default: {@link FEW_CALLERS}. */
  readonly limits?: Http1Limits;
  readonly observer?: RequestObserver;
  /** All of the machine's when it is not given. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Without it, plain HTTP. */
  readonly tls?: TlsFiles;
  /** With `tls`: what clients have to show. Default: nothing. */
  readonly clients?: ClientCertificates | undefined;
  /** What host and port come from, for errors. */
  readonly setting: string;
  /** A connection on which nothing moves for so long, or up to twice as long, is closed. Default: 120 s. */
  readonly idleTimeoutMs?: number;
  readonly log: Logger;
}

export interface Http1Listener {
  readonly port: number;
  /** What the requests under way take up, of `limits.maxRequestsBytes`. */
  heldBytes(): number;
  /** Serves further connections with another certificate; those that are open stay. Throws for one that doesn't fit its key. */
  replaceCertificate(tls: TlsFiles): void;
  /** From now on every answer is the last one on its connection; new connections are still taken. */
  drain(): void;
  /**
   * Takes no further connections, lets the requests under way finish and closes each connection when it is idle; what is left
   * after `graceMs` is cut off. Idempotent.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

const CROWDED =
  "more connections than this port takes (webhook.limits for webhook.listenPort): new ones take the place of idle ones";

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** Above the 90 s after which Go's clients, the API server among them, drop idle connections: the client closes, not we. */
const IDLE_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Serves HTTP/1.1, which is all that the API server speaks to webhooks and probes and scrapers need. No request ends the process, and
 * a new connection at a limit ends one that waits for its client. Throws `listen_failed` when it can't have the address.
 */
export async function listenHttp1(options: Http1Options): Promise<Http1Listener> {
  const { endpoint, host, port, tls, clients, setting, idleTimeoutMs = IDLE_TIMEOUT_MS, log } = options;
  const { limits = FEW_CALLERS, observer } = options;
  let draining = false;
  // At the last moment before the headers are written, so that it holds for requests that came earlier too.
  class Response<Request extends IncomingMessage> extends ServerResponse<Request> {
    override writeHead(status: number, message?: string, headers?: Headers): this;
    override writeHead(status: number, headers?: Headers): this;
    override writeHead(status: number, ...rest: unknown[]): this {
      if (draining) this.shouldKeepAlive = false;
      // Passed on as they came.
      return super.writeHead(status, ...(rest as [Headers?]));
    }
  }
  const table = createConnectionTable(limits, (crowd) => log.warn({ ...crowd, setting, limits }, CROWDED));
  const connections: Connections = new Map();
  const budget = createRequestBudget(limits.maxRequestsBytes);
  const requests = answerRequests({
    endpoint,
    budget,
    observer,
    findConnection: ({ socket }) => connections.get(socket)?.tracked,
    log,
  });
  const timeouts: ServerOptions = {
    ServerResponse: Response,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: 5_000,
  };
  const asked = clients && { ca: clients.ca, requestCert: true, rejectUnauthorized: true };
  const secure = { ...tls, ...asked, ALPNProtocols: ["http/1.1"], handshakeTimeout: HEADERS_TIMEOUT_MS };
  const server = tls ? createHttpsServer({ ...timeouts, ...secure }) : createHttpServer(timeouts);
  server.on("request", requests.request).on("checkContinue", requests.checkContinue);
  // Those that can carry no request yet, since their TLS handshake is under way.
  const accepted = new Set<Socket>();
  let closing = false;
  server.on("connection", (socket: Socket) => {
    if (!table.add(socket)) return;
    accepted.add(socket);
    socket.once("close", () => accepted.delete(socket));
  });
  const isWelcome = (socket: Socket) => {
    if (!clients || clients.names.length === 0 || !(socket instanceof TLSSocket)) return true;
    if (hasClientName(socket, clients.names)) return true;
    log.warn({ names: clients.names }, "a client's certificate has none of the names of webhook.clientNames");
    return false;
  };
  server.on(tls ? "secureConnection" : "connection", (socket: Socket) => {
    const tracked = table.find(socket);
    if (tracked) accepted.delete(tracked.socket);
    if (closing || !tracked || !isWelcome(socket)) {
      socket.destroy();
      return;
    }
    connections.set(socket, { tracked, moved: -1 });
    // A listener for data would take the reading of requests away from Node's own fast way.
    socket.once("close", () => connections.delete(socket));
  });
  try {
    await once(server.listen({ port, ...(host && { host }) }), "listening");
  } catch (error) {
    const settings = { host: setting, port: setting };
    throw toListenFailure(error, { address: `${host ?? ""}:${port}`, settings });
  }
  // Such as too many open files: a connection is lost, the server is not.
  server.on("error", (error) => log.warn({ err: error }, "a connection could not be accepted"));
  const sweeping = setInterval(closeIdle, idleTimeoutMs, connections).unref();

  const close = async (graceMs: number) => {
    draining = closing = true;
    const closed = once(server, "close");
    server.close();
    for (const socket of accepted) socket.destroy();
    // Spare ones, as the API server keeps them: Node takes a connection for busy until its first request is over.
    for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy();
    const grace = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(grace);
    clearInterval(sweeping);
  };
  return {
    port: toPort(server.address(), port),
    heldBytes: budget.heldBytes,
    replaceCertificate(next) {
      if (server instanceof HttpsServer) server.setSecureContext({ ...next, ...(clients && { ca: clients.ca }) });
    },
    drain() {
      draining = true;
    },
    close: closeOnce(({ graceMs }) => close(graceMs)),
  };
}

/** The connections that requests may come on. */
type Connections = Map<Socket, OpenConnection>;

interface OpenConnection {
  readonly tracked: TrackedConnection;
  /** The bytes that had moved on it at the last sweep. */
  moved: number;
}

/**
 * Closes those on which nothing has moved since it was last called, also when that is an answer that nobody reads. Node's own
 * timeouts do that to the second, with a timer a connection that is set several times at each request.
 */
function closeIdle(connections: Connections): void {
  for (const [socket, connection] of connections) {
    const moved = socket.bytesRead + socket.bytesWritten;
    if (moved === connection.moved) socket.destroy();
    else connection.moved = moved;
  }
}

function toPort(address: AddressInfo | string | null, asked: number): number {
  return typeof address === "object" && address !== null ? address.port : asked;
}
