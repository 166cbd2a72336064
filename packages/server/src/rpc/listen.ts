import { once } from "node:events";
import { createServer as createHttpServer, type ServerOptions } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { boundHttp2Session } from "./bound-http2-session.ts";
import { detectProtocol } from "./detect-protocol.ts";
import type { NodeHandler } from "./node-handler.ts";

/** How long and how much a listener puts up with. */
export interface ListenerLimits {
  /** For a TLS handshake, for the first bytes of a connection and for the headers of a request. Default 10 s. */
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive, its body included. Default 60 s. */
  readonly requestTimeoutMs: number;
  /** For a connection on which nothing moves. Default 90 s, above the 60 s after which load balancers give up theirs. */
  readonly idleTimeoutMs: number;
  /** Connections at a time; further ones are dropped at once. Default 4,096. */
  readonly maxConnections: number;
  /** Requests at a time on one HTTP/2 connection. Default 128. */
  readonly maxStreams: number;
}

const DEFAULT_LIMITS: ListenerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 90_000,
  maxConnections: 4096,
  maxStreams: 128,
};

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
export async function listen({ handler, host, port, tls, log, ...rest }: ListenOptions): Promise<Listener> {
  const limits = { ...DEFAULT_LIMITS, ...rest.limits };
  const timeouts: ServerOptions = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 5_000),
  };
  let closing = false;
  const serve: NodeHandler = (req, res) => {
    if (req.httpVersionMajor === 1) {
      if (closing) res.setHeader("connection", "close");
      // Node closes the idle connections when a server is closed, not those that become idle later.
      res.once("close", () => closing && setImmediate(() => server.closeIdleConnections()));
    }
    handler(req, res);
  };
  const server =
    tls === undefined
      ? createHttpServer(timeouts, serve)
      : createHttpsServer(
          { ...timeouts, ...tls, ALPNProtocols: ["h2", "http/1.1"], handshakeTimeout: limits.headersTimeoutMs },
          serve,
        );
  server.maxConnections = limits.maxConnections;
  server.timeout = limits.idleTimeoutMs;
  const http2 = createHttp2Server({ settings: { maxConcurrentStreams: limits.maxStreams } }, serve);

  const sockets = new Set<Socket>();
  const undecided = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const connected = tls === undefined ? "connection" : "secureConnection";
  const [serveHttp1] = server.listeners(connected);
  server.removeAllListeners(connected);
  const serveHttp2 = (socket: Socket) => {
    const adopt = (session: ServerHttp2Session) => {
      sessions.add(session);
      boundHttp2Session(session, limits);
      session.once("close", () => {
        sessions.delete(session);
        // Node waits for the client to close its side too, and would wait for ever.
        setTimeout(() => socket.destroy(), limits.headersTimeoutMs).unref();
      });
    };
    http2.once("session", adopt).emit("connection", socket);
    http2.off("session", adopt);
  };
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on(connected, (socket: Socket) => {
    undecided.add(socket);
    socket.once("close", () => undecided.delete(socket));
    detectProtocol(socket, limits.headersTimeoutMs, (protocol) => {
      undecided.delete(socket);
      if (protocol === "h2") serveHttp2(socket);
      else serveHttp1?.call(server, socket);
    });
  });

  try {
    server.listen({ host, port });
    await once(server, "listening");
  } catch (error) {
    throw new SecretsError("listen_failed", describeListenFailure(error, `${host}:${port}`), { cause: error });
  }
  // Such as too many open files: connections are lost, the server is not.
  server.on("error", (error) => log?.warn({ err: error }, "a connection could not be accepted"));
  const close = async (graceMs: number) => {
    closing = true;
    const closed = once(server, "close");
    server.close();
    for (const socket of undecided) socket.destroy();
    for (const session of sessions) session.close();
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

function toPort(address: AddressInfo | string | null, asked: number): number {
  return typeof address === "object" && address !== null ? address.port : asked;
}

function describeListenFailure(error: unknown, address: string): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return `${address} is in use: stop the other server, or choose another port (secret.server.port)`;
    case "EACCES":
      return `${address} may not be used by this user: choose a port above 1023 (secret.server.port)`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${address} is not an address of this machine (secret.server.host)`;
    default:
      return `cannot listen on ${address}: ${String(code ?? "unknown reason")}`;
  }
}
