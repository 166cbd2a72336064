import {
  createServer as createHttpServer,
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type ServerOptions,
  ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { TLSSocket } from "node:tls";
import type { NodeHandler } from "./http-exchange.ts";
import type { RequestHandlers } from "./http2-connections.ts";
import type { ListenerLimits } from "./listener-limits.ts";
import { unreadableVersion } from "./unreadable-requests.ts";

/** A certificate chain and its private key, in PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** Whose TLS clients are served. */
export interface ClientCertificateCheck {
  /** The CA that must have signed a client's certificate, in PEM. */
  readonly ca: string;
  /** Whether a client whose certificate that CA has signed may connect. */
  isAccepted(socket: TLSSocket): boolean;
}

export interface Http1ServerOptions {
  readonly tls: TlsFiles | undefined;
  readonly clients: ClientCertificateCheck | undefined;
  readonly http2: boolean;
  readonly isDraining: () => boolean;
}

/**
 * Creates Node's HTTP/1.1 server with the limits of a listener, and with TLS if a certificate is given. It does not
 * listen yet.
 */
export function createHttp1Server(
  { onRequest, onExpect }: RequestHandlers,
  limits: ListenerLimits,
  { tls, clients, http2, isDraining }: Http1ServerOptions,
) {
  const options: ServerOptions = {
    ServerResponse: lastWhen(isDraining),
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 5_000),
  };
  const secure = {
    ...tls,
    ...(clients && { ca: clients.ca, requestCert: true, rejectUnauthorized: true }),
    ALPNProtocols: http2 ? ["h2", "http/1.1"] : ["http/1.1"],
    handshakeTimeout: limits.headersTimeoutMs,
  };
  const server = tls ? createHttpsServer({ ...options, ...secure }) : createHttpServer(options);
  // Node's parser also takes a request line with HTTP/0.9 or HTTP/2.0, which nothing behind it expects.
  const ofVersion1 =
    (handler: NodeHandler): NodeHandler =>
    (req, res) => {
      if (req.httpVersionMajor === 1) handler(req, res);
      else server.emit("clientError", unreadableVersion(), req.socket);
    };
  server.on("request", ofVersion1(onRequest)).on("checkContinue", ofVersion1(onExpect));
  server.timeout = limits.idleTimeoutMs;
  return server;
}

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];

/**
 * The class of responses that are the last on their connection once the server drains. It is decided when the headers
 * are written, so that it holds for requests that came earlier too.
 */
function lastWhen(isDraining: () => boolean) {
  return class<Request extends IncomingMessage> extends ServerResponse<Request> {
    override writeHead(status: number, message?: string, headers?: Headers): this;
    override writeHead(status: number, headers?: Headers): this;
    override writeHead(status: number, ...rest: unknown[]): this {
      if (isDraining()) this.shouldKeepAlive = false;
      // Passed on as they came.
      return super.writeHead(status, ...(rest as [Headers?]));
    }
  };
}
