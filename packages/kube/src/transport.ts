import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { hasSystemCode } from "@flyte-secrets/core";
import type { ClusterConnection } from "./connection.ts";
import type { Credentials } from "./credentials.ts";
import { discard } from "./response-body.ts";

export interface TransportRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** JSON. */
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  readonly signal: AbortSignal;
}

/** Sends requests to one API server over HTTP/1.1, keeping connections. */
export interface Transport {
  /** Returns the response, whatever its status, with its body still to be read. Rejects with the connection's error. */
  send(exchange: TransportRequest): Promise<IncomingMessage>;
  /** Closes every connection. */
  close(): void;
}

/**
 * Idle connections are closed after this time. A longer idle one may be dead without either side knowing, so that a
 * call on it would hang.
 */
const IDLE_MS = 30_000;

export function createTransport(connection: ClusterConnection): Transport {
  const { server, tls, credentials } = connection;
  const secure = server.protocol === "https:";
  // The newest idle connection is the least likely to be dead.
  const pool = { keepAlive: true, keepAliveMsecs: 30_000, timeout: IDLE_MS, scheduling: "lifo" } as const;
  const agent = secure ? new HttpsAgent(pool) : new HttpAgent(pool);
  const prefix = server.pathname.replace(/\/$/, "");

  function sendAs(identity: Credentials, exchange: TransportRequest): Promise<IncomingMessage> {
    const { headers, ...certificate } = identity;
    const { method, path, body, contentType = "application/json", signal } = exchange;
    const options = {
      host: server.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: server.port || (secure ? 443 : 80),
      method,
      path: prefix + path,
      agent,
      signal,
      headers: {
        ...headers,
        accept: "application/json",
        "user-agent": "flyte-secrets",
        ...(body !== undefined && { "content-type": contentType, "content-length": Buffer.byteLength(body) }),
      },
    };
    return new Promise((resolve, reject) => {
      const req = secure ? requestHttps({ ...options, ...tls, ...certificate }) : requestHttp(options);
      req.on("response", resolve);
      req.on("error", (error) => {
        // The other side closed a kept connection at that moment; repeating a read is safe.
        const stale = req.reusedSocket && (hasSystemCode(error, "ECONNRESET") || hasSystemCode(error, "EPIPE"));
        if (stale && method === "GET" && !signal.aborted) sendAs(identity, exchange).then(resolve, reject);
        else reject(error);
      });
      req.end(body);
    });
  }

  return {
    async send(exchange) {
      const { signal } = exchange;
      const identity = await credentials.current(signal);
      const response = await sendAs(identity, exchange);
      if (response.statusCode !== 401 || !credentials.renew(identity)) return response;
      discard(response);
      return sendAs(await credentials.current(signal), exchange);
    },
    close() {
      credentials.close();
      agent.destroy();
    },
  };
}
