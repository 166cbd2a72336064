import { once } from "node:events";
import { createServer as createHttpServer, type ServerOptions } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server, Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import { closeOnce } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { createConnectionTable, followRequest } from "./connection-table.ts";
import { continueWhenRead } from "./continue-when-read.ts";
import { detectProtocol } from "./detect-protocol.ts";
import { type FallibleHandler, guardHandler } from "./guard-handler.ts";
import { createHttp2Connections, type RequestHandlers } from "./http2-connections.ts";
import { type ListenAttempt, toListenFailure } from "./listen-failure.ts";
import { DEFAULT_LISTENER_LIMITS, type ListenerLimits } from "./listener-limits.ts";
import type { NodeHandler, NodeRequest } from "./node-handler.ts";
import { answerUnreadableRequests } from "./unreadable-requests.ts";

export interface ListenOptions {
  readonly handler: FallibleHandler;
  /** All of the machine's when it is not given. */
  readonly host?: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
  /** A Unix socket, which is made and removed, in place of host and port. */
  readonly path?: string;
  /** What host and port come from, for errors. Default: `secret.server.host` and `secret.server.port`. */
  readonly settings?: ListenAttempt["settings"];
  /** Certificate chain and private key, in PEM. Without it, plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly limits?: Partial<ListenerLimits>;
  /** Told when a connection can't be accepted, and when a handler throws. */
  readonly log?: Logger;
}

export interface Listener {
  readonly port: number;
  /** Of a listener with TLS: serves new connections with this one. Throws, and goes on with the old one, when the two don't fit. */
  replaceCertificate(tls: NonNullable<ListenOptions["tls"]>): void;
  /**
   * Takes no further connections, lets the requests under way finish and then closes each connection; what is left after
   * `graceMs` is cut off. Resolves once all are closed. Idempotent.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

const SETTINGS = { host: "secret.server.host", port: "secret.server.port" };

const CROWDED =
  "more connections than secret.server.limits.connections, or connectionsPerAddress of one address: new ones take the place of idle ones";

/**
 * Serves HTTP/1.1 and HTTP/2 on one port: without TLS by the first bytes a client sends (HTTP/2 with prior knowledge, RFC 9113
 * section 3.3), with TLS by ALPN. Throws `listen_failed` when it can't have the address. A handler that throws, and a connection
 * that breaks, harm no other.
 *
 * The HTTP/1.1 server itself listens, and only its connection listener is replaced: Node keeps watch over slow requests and
 * idle connections of a server that listens, not of one that is handed sockets.
 */
export async function listen({
  host,
  port,
  path,
  log,
  settings = SETTINGS,
  ...options
}: ListenOptions): Promise<Listener> {
  const limits = { ...DEFAULT_LISTENER_LIMITS, ...options.limits };
  const connections = createConnectionTable(limits, (crowd) => log?.warn(crowd, CROWDED));
  let closing = false;
  const handler = guardHandler(options.handler, log);
  const onRequest: NodeHandler = (req, res) => {
    if (req.httpVersionMajor === 1) {
      const connection = connections.find(req.socket);
      if (!connection?.takeRequest()) return;
      followResponse(req.socket, res);
      followRequest(connection, { arrived: hasBody(req) ? req : true, over: res });
      res.once("close", () => connection.endRequest());
      if (closing) res.setHeader("connection", "close");
      // Node closes the idle connections when a server is closed, not those that become idle later.
      res.once("close", () => closing && setImmediate(() => server.closeIdleConnections()));
    }
    handler(req, res);
  };
  const handlers: RequestHandlers = { onRequest, onExpect: continueWhenRead(onRequest) };
  const server = createHttp1Server(handlers, limits, options.tls);
  const followResponse = answerUnreadableRequests(server);
  const http2 = createHttp2Connections(handlers, limits);

  const sockets = new Set<Socket>();
  const undecided = new Set<Socket>();
  const decide = (socket: Socket) => {
    socket.on("error", ignore);
    const connection = connections.find(socket);
    // The client has gone, or the server is going.
    if (closing || connection === undefined) {
      socket.destroy();
      return;
    }
    detectProtocol(socket, limits.headersTimeoutMs, (protocol) => {
      undecided.delete(connection.socket);
      if (protocol === "h2") http2.accept(socket, connection);
      else serveHttp1(socket);
    });
  };
  const serveHttp1 = takeListener(server, options.tls ? "secureConnection" : "connection");
  const begin = options.tls ? takeListener(server, "connection") : decide;
  if (options.tls) server.on("secureConnection", decide);
  server.on("connection", (socket: Socket) => {
    // Whoever serves the connection listens too; between two of them, and after the last, nobody does.
    socket.on("error", ignore);
    if (!connections.add(socket)) return;
    for (const set of [sockets, undecided]) {
      set.add(socket);
      socket.once("close", () => set.delete(socket));
    }
    begin(socket);
  });

  try {
    const address = path === undefined ? { port, ...(host !== undefined && { host }) } : { path };
    await once(server.listen(address), "listening");
  } catch (error) {
    throw toListenFailure(error, { address: path ?? `${host ?? ""}:${port}`, settings });
  }
  // Such as too many open files: a connection is lost, the server is not.
  server.on("error", (error) => log?.warn({ err: error }, "a connection could not be accepted"));

  const close = async (graceMs: number) => {
    closing = true;
    const closed = once(server, "close");
    server.close();
    http2.close();
    for (const socket of undecided) socket.destroy();
    const grace = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(grace);
  };
  return {
    port: toPort(server.address(), port),
    replaceCertificate(tls) {
      if (server instanceof TlsServer) server.setSecureContext(tls);
    },
    close: closeOnce(({ graceMs }) => close(graceMs)),
  };
}

function createHttp1Server(
  { onRequest, onExpect }: RequestHandlers,
  limits: ListenerLimits,
  tls: ListenOptions["tls"],
) {
  const options: ServerOptions = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 5_000),
  };
  const secure = { ...tls, ALPNProtocols: ["h2", "http/1.1"], handshakeTimeout: limits.headersTimeoutMs };
  const server = tls ? createHttpsServer({ ...options, ...secure }, onRequest) : createHttpServer(options, onRequest);
  server.on("checkContinue", onExpect);
  server.timeout = limits.idleTimeoutMs;
  return server;
}

/** Takes over from Node what it does with a connection. */
function takeListener(server: Server, event: "connection" | "secureConnection"): (socket: Socket) => void {
  const [listener] = server.listeners(event);
  server.removeAllListeners(event);
  return (socket) => listener?.call(server, socket);
}

function hasBody({ headers }: NodeRequest): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function ignore(): void {}

function toPort(address: AddressInfo | string | null, asked: number): number {
  return typeof address === "object" && address !== null ? address.port : asked;
}
