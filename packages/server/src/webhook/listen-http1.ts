import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type RequestListener,
  type ServerOptions,
  ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { toListenFailure } from "../rpc/listen-failure.ts";
import { type ClientCertificates, hasClientName } from "./client-certificates.ts";

/** A certificate chain and its private key, in PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Http1Options {
  readonly handler: RequestListener;
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

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/** Above the 90 s after which Go's clients, the API server among them, drop idle connections: the client closes, not we. */
const IDLE_TIMEOUT_MS = 120_000;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 4096;

/**
 * Serves HTTP/1.1, which is all that the API server speaks to webhooks and probes and scrapers need. Throws `listen_failed`
 * when it can't have the address.
 */
export async function listenHttp1(options: Http1Options): Promise<Http1Listener> {
  const { handler, host, port, tls, clients, setting, idleTimeoutMs = IDLE_TIMEOUT_MS, log } = options;
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
  const limits: ServerOptions = {
    ServerResponse: Response,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: 5_000,
  };
  const asked = clients && { ca: clients.ca, requestCert: true, rejectUnauthorized: true };
  const secure = { ...tls, ...asked, ALPNProtocols: ["http/1.1"], handshakeTimeout: HEADERS_TIMEOUT_MS };
  const server = tls ? createHttpsServer({ ...limits, ...secure }, handler) : createHttpServer(limits, handler);
  server.maxConnections = MAX_CONNECTIONS;
  const connections: Connections = new Map();
  const handshakes = new Map<string, Socket>();
  let closing = false;
  if (tls)
    server.on("connection", (socket: Socket) => {
      const peer = nameOf(socket);
      handshakes.set(peer, socket);
      socket.once("close", () => handshakes.get(peer) === socket && handshakes.delete(peer));
    });
  const isWelcome = (socket: Socket) => {
    if (!clients || clients.names.length === 0 || !(socket instanceof TLSSocket)) return true;
    if (hasClientName(socket, clients.names)) return true;
    log.warn({ names: clients.names }, "a client's certificate has none of the names of webhook.clientNames");
    return false;
  };
  server.on(tls ? "secureConnection" : "connection", (socket: Socket) => {
    handshakes.delete(nameOf(socket));
    if (closing || !isWelcome(socket)) {
      socket.destroy();
      return;
    }
    connections.set(socket, -1);
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
    for (const socket of handshakes.values()) socket.destroy();
    // Spare ones, as the API server keeps them: Node takes a connection for busy until its first request is over.
    for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy();
    const grace = setTimeout(() => server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(grace);
    clearInterval(sweeping);
  };
  let closed: Promise<void> | undefined;
  return {
    port: toPort(server.address(), port),
    replaceCertificate(next) {
      if (server instanceof HttpsServer) server.setSecureContext({ ...next, ...(clients && { ca: clients.ca }) });
    },
    drain() {
      draining = true;
    },
    close({ graceMs }) {
      closed ??= close(graceMs);
      return closed;
    },
  };
}

/** The client's end of a connection, which no two open ones of a listener share. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** The open connections, each with the bytes that had moved on it at the last sweep. */
type Connections = Map<Socket, number>;

/**
 * Closes those on which nothing has moved since it was last called, also when that is an answer that nobody reads. Node's own
 * timeouts do that to the second, with a timer a connection that is set several times at each request.
 */
function closeIdle(connections: Connections): void {
  for (const [socket, before] of connections) {
    const moved = socket.bytesRead + socket.bytesWritten;
    if (moved === before) socket.destroy();
    else connections.set(socket, moved);
  }
}

function toPort(address: AddressInfo | string | null, asked: number): number {
  return typeof address === "object" && address !== null ? address.port : asked;
}
