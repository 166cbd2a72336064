import { once } from "node:events";
import { createServer as createHttpServer, type ServerOptions } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Logger } from "pino";
import { detectProtocol } from "./detect-protocol.ts";
import { createHttp2Connections } from "./http2-connections.ts";
import { toListenFailure } from "./listen-failure.ts";
import { DEFAULT_LISTENER_LIMITS, type ListenerLimits } from "./listener-limits.ts";
import type { NodeHandler } from "./node-handler.ts";

export interface ListenOptions {
  readonly handler: NodeHandler;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Certificate chain and private key, in PEM. Without it, plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly limits?: Partial<ListenerLimits>;
  /** Told when a connection can't be accepted. */
  readonly log?: Logger;
}

export interface Listener {
  readonly port: number;
  /**
   * Takes no further connections, lets the requests under way finish and then closes each connection; what is left after
   * `graceMs` is cut off. Resolves once all are closed. Idempotent.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * Serves HTTP/1.1 and HTTP/2 on one port: without TLS by the first bytes a client sends (HTTP/2 with prior knowledge, RFC 9113
 * section 3.3), with TLS by ALPN. Throws `listen_failed` when it can't have the address.
 *
 * The HTTP/1.1 server itself listens, and only its connection listener is replaced: Node keeps watch over slow requests and
 * idle connections of a server that listens, not of one that is handed sockets.
 */
export async function listen({ handler, host, port, log, ...options }: ListenOptions): Promise<Listener> {
  const limits = { ...DEFAULT_LISTENER_LIMITS, ...options.limits };
  let closing = false;
  const serve: NodeHandler = (req, res) => {
    if (req.httpVersionMajor === 1) {
      if (closing) res.setHeader("connection", "close");
      // Node closes the idle connections when a server is closed, not those that become idle later.
      res.once("close", () => closing && setImmediate(() => server.closeIdleConnections()));
    }
    handler(req, res);
  };
  const server = createHttp1Server(serve, limits, options.tls);
  const http2 = createHttp2Connections(serve, limits);

  const connected = options.tls ? "secureConnection" : "connection";
  const [serveHttp1] = server.listeners(connected);
  server.removeAllListeners(connected);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const undecided = new Set<Socket>();
  server.on(connected, (socket: Socket) => {
    undecided.add(socket);
    socket.once("close", () => undecided.delete(socket));
    detectProtocol(socket, limits.headersTimeoutMs, (protocol) => {
      undecided.delete(socket);
      if (protocol === "h2") http2.accept(socket);
      else serveHttp1?.call(server, socket);
    });
  });

  try {
    await once(server.listen({ host, port }), "listening");
  } catch (error) {
    const settings = { host: "secret.server.host", port: "secret.server.port" };
    throw toListenFailure(error, { address: `${host}:${port}`, settings });
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
  let closed: Promise<void> | undefined;
  return {
    port: toPort(server.address(), port),
    close({ graceMs }) {
      closed ??= close(graceMs);
      return closed;
    },
  };
}

function createHttp1Server(handler: NodeHandler, limits: ListenerLimits, tls: ListenOptions["tls"]) {
  const options: ServerOptions = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 5_000),
  };
  const secure = { ...tls, ALPNProtocols: ["h2", "http/1.1"], handshakeTimeout: limits.headersTimeoutMs };
  const server = tls ? createHttpsServer({ ...options, ...secure }, handler) : createHttpServer(options, handler);
  server.maxConnections = limits.maxConnections;
  server.timeout = limits.idleTimeoutMs;
  return server;
}

function toPort(address: AddressInfo | string | null, asked: number): number {
  return typeof address === "object" && address !== null ? address.port : asked;
}
