import { once } from "node:events";
import type { RequestListener } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { TLSSocket, Server as TlsServer } from "node:tls";
import { closeOnce } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { type ListenAttempt, toListenFailure } from "./address.ts";
import { createConnectionTable, trackRequest } from "./connection-table.ts";
import { detectProtocol, type Protocol } from "./detect-protocol.ts";
import { continueWhenRead, type FallibleHandler, guardHandler } from "./handler.ts";
import type { NodeHandler, NodeRequest } from "./http-exchange.ts";
import { type ClientCertificateCheck, createHttp1Server, type TlsFiles } from "./http1-server.ts";
import { createHttp2Connections, type RequestHandlers } from "./http2-connections.ts";
import { DEFAULT_LISTENER_LIMITS, type ListenerLimits } from "./listener-limits.ts";
import { answerUnreadableRequests } from "./unreadable-requests.ts";

export interface ListenOptions {
  readonly handler: FallibleHandler;
  /** Whether HTTP/2 is served beside HTTP/1.1. Default: true. */
  readonly http2?: boolean;
  /** All of the machine's when it is not given. */
  readonly host?: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
  /** A Unix socket, which is made and removed, in place of host and port. */
  readonly path?: string;
  /** The settings that errors and log lines name. Default: those of the service. */
  readonly settings?: ListenAttempt["settings"] & { readonly limits?: string };
  /** Without it, plain HTTP. */
  readonly tls?: TlsFiles;
  /** With `tls`: the certificates that clients must have. Default: none. */
  readonly clients?: ClientCertificateCheck | undefined;
  readonly limits?: Partial<ListenerLimits>;
  /** Gets a line when a connection cannot be accepted, and when a handler throws. */
  readonly log?: Logger;
}

export interface Listener {
  readonly port: number;
  /**
   * Serves new connections of a listener with TLS with another certificate; open ones stay as they are. Throws, and
   * goes on with the old certificate, when the new one does not fit its key.
   */
  replaceCertificate(tls: TlsFiles): void;
  /** Ends each connection with its next answer from now on. New connections are still accepted. */
  drain(): void;
  /**
   * Accepts no further connections, lets the requests in flight finish and then closes each connection; destroys what
   * is left after `graceMs`. Resolves once all are closed. Idempotent.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

const SERVICE_SETTINGS = {
  host: "secret.server.host",
  port: "secret.server.port",
  limits: "secret.server.limits.connections, or connectionsPerAddress of one address",
};

/**
 * Serves HTTP/1.1 and, unless that is turned off, HTTP/2 on one port: without TLS by the first bytes that a client
 * sends (HTTP/2 with prior knowledge, RFC 9113 section 3.3), with TLS by ALPN. Throws `listen_failed` when the address
 * cannot be had. Neither a handler that throws nor a connection that breaks affects other requests.
 *
 * The HTTP/1.1 server itself listens, and only its connection listener is replaced: Node enforces its limits for slow
 * requests and idle connections on a server that listens, not on one that is handed sockets.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, path, log, settings = SERVICE_SETTINGS, tls, clients } = options;
  const limits = { ...DEFAULT_LISTENER_LIMITS, ...options.limits };
  const crowded = `more connections than ${settings.limits ?? "this port takes"}: new ones take the place of idle ones`;
  const connections = createConnectionTable(limits, (crowd) =>
    log?.warn({ ...crowd, setting: settings.port }, crowded),
  );
  let draining = false;
  let closing = false;
  const handler = guardHandler(options.handler, log);
  const onRequest: NodeHandler = (req, res) => {
    if (req.httpVersionMajor === 1) {
      const connection = connections.find(req.socket);
      if (!connection?.beginRequest()) return;
      const endResponse = trackResponse(req.socket, res);
      trackRequest(connection, { arrived: hasBody(req) ? req : true, over: res }, () => {
        endResponse();
        connection.endRequest();
        // Node closes the idle connections when a server is closed, not those that become idle later.
        if (closing) setImmediate(() => server.closeIdleConnections());
      });
    }
    handler(req, res);
  };
  const handlers: RequestHandlers = { onRequest, onExpect: continueWhenRead(onRequest) };
  const isDraining = () => draining;
  const server = createHttp1Server(handlers, limits, { tls, clients, http2: options.http2 ?? true, isDraining });
  const trackResponse = answerUnreadableRequests(server);
  const http2 = createHttp2Connections(handlers, limits);

  const sockets = new Set<Socket>();
  const undecided = new Set<Socket>();
  const http1 = new Set<Socket>();
  const decide = (socket: Socket) => {
    socket.on("error", ignore);
    const connection = connections.find(socket);
    const isRefused = clients !== undefined && !(socket instanceof TLSSocket && clients.isAccepted(socket));
    // The client has gone, the server is going, or the client may not connect.
    if (closing || connection === undefined || isRefused) {
      socket.destroy();
      return;
    }
    const serve = (protocol: Protocol) => {
      undecided.delete(connection.socket);
      if (protocol === "h2") http2.accept(socket, connection);
      else serveHttp1(socket);
      if (protocol === "http/1.1") addUntilClosed(http1, socket);
    };
    if (options.http2 === false) serve("http/1.1");
    else detectProtocol(socket, limits.headersTimeoutMs, serve);
  };
  const serveHttp1 = takeListener(server, tls ? "secureConnection" : "connection");
  const begin = tls ? takeListener(server, "connection") : decide;
  if (tls) server.on("secureConnection", decide);
  server.on("connection", (socket: Socket) => {
    // Each stage of a connection listens for errors too; between two of them, and after the last, nobody else does.
    socket.on("error", ignore);
    if (!connections.add(socket)) return;
    addUntilClosed(sockets, socket);
    addUntilClosed(undecided, socket);
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

  const drain = () => {
    draining = true;
    http2.close();
  };
  return {
    port: toPort(server.address(), port),
    replaceCertificate(next) {
      if (server instanceof TlsServer) server.setSecureContext({ ...next, ...(clients && { ca: clients.ca }) });
    },
    drain,
    close: closeOnce(async ({ graceMs }) => {
      closing = true;
      const closed = once(server, "close");
      server.close();
      drain();
      for (const socket of undecided) socket.destroy();
      // Spare ones, as API servers keep them: Node takes a connection for busy until its first request is over.
      for (const socket of http1) if (socket.bytesRead === 0) socket.destroy();
      const grace = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(grace);
    }),
  };
}

export interface Http1ListenOptions extends Omit<ListenOptions, "handler" | "http2"> {
  readonly handler: RequestListener;
}

/** {@link listen} for HTTP/1.1 alone. */
export function listenHttp1({ handler, ...options }: Http1ListenOptions): Promise<Listener> {
  // Without HTTP/2 all requests and responses are those of node:http.
  return listen({ ...options, http2: false, handler: handler as FallibleHandler });
}

/** Takes over from Node what it does with a connection. */
function takeListener(server: Server, event: "connection" | "secureConnection"): (socket: Socket) => void {
  const [listener] = server.listeners(event);
  server.removeAllListeners(event);
  return (socket) => listener?.call(server, socket);
}

function addUntilClosed(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
}

function hasBody({ headers }: NodeRequest): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function ignore(): void {}

function toPort(address: AddressInfo | string | null, asked: number): number {
  return typeof address === "object" && address !== null ? address.port : asked;
}
