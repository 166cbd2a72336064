import type { ConnectionLimits } from "./connection-table.ts";

/** Time limits and size limits of a listener. */
export interface ListenerLimits extends ConnectionLimits {
  /** For a TLS handshake, for the first bytes of a connection and for the headers of a request. Default 10 s. */
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive, its body included. Default 60 s. */
  readonly requestTimeoutMs: number;
  /** For a connection without traffic. Default 90 s, above the 60 s after which load balancers close theirs. */
  readonly idleTimeoutMs: number;
  /** Requests at a time on one HTTP/2 connection. Default 128. */
  readonly maxStreams: number;
}

export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 90_000,
  maxConnections: 4096,
  maxConnectionsPerAddress: 1024,
  maxStreams: 128,
};
