/** Who may call: anyone, whoever sends the one token, or whoever sends a token of an issuer. */
export type ServiceAuth = { readonly mode: "none" } | TokenAuth | OidcAuth;

/** One token for all callers: fixed, or read by each call. */
export interface TokenAuth {
  readonly mode: "token";
  readonly token: string | (() => string);
}

/** Tokens of an OpenID Connect issuer, and what clients need to get one there. */
export interface OidcAuth {
  readonly mode: "oidc";
  /** The issuer's URL, exactly as its tokens name it. */
  readonly issuer: string;
  /** The audience that a token must be for. */
  readonly audience: string;
  /** How far the issuer's clock may be from this machine's. */
  readonly clockSkewMs: number;
  /** The public client that Flyte's clients log in as; empty: they must be configured with one. */
  readonly clientId: string;
  readonly redirectUri: string;
  /** The scopes that clients request from the issuer. Tokens are not checked for them. */
  readonly scopes: readonly string[];
}

/** The configuration of the secret service beside its store. */
export interface ServiceConfig {
  /** Organization of every secret, whatever a request names; Flyte's own is `flyte`. */
  readonly organization: string;
  readonly auth: ServiceAuth;
  /** Where webhooks are to be notified of each write, see {@link createInvalidation}; empty: nowhere. */
  readonly webhookURL: string;
  /** The bearer token for that. */
  readonly webhookToken?: string | undefined;
  /**
   * Names of this server beside `localhost` and IP addresses. Without authentication, requests to other names are
   * refused.
   */
  readonly allowedHosts?: readonly string[];
  /** Limit of the bodies of all requests in flight together. Default 64 MiB. */
  readonly maxBodyBytes?: number;
  /** Calls that are answered at a time; further ones are refused with `unavailable`. Default 2,048. */
  readonly maxRequests?: number;
}

/** Options of {@link startService}: the service's configuration, and where it listens. */
export interface ServiceOptions extends ServiceConfig {
  readonly listener: ServiceListenerOptions;
  /** Permits `auth.mode` none on an address that other machines reach. Default false. */
  readonly allowUnauthenticatedNetwork?: boolean;
}

export interface ServiceListenerOptions {
  /** Address to listen on; `::` and `0.0.0.0` are all of the machine's. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Connections at a time, and those of one remote address; 0: no limit of its own. Defaults 4,096 and 1,024. */
  readonly maxConnections?: number;
  readonly maxConnectionsPerAddress?: number;
  /** `HOST:PORT` of a listener for `/healthz` and `/readyz` alone; empty for none, which is the default. */
  readonly probeAddress?: string;
  /**
   * `HOST:PORT` of a listener for `/metrics` alone, which needs no credentials; empty for none, which is the default.
   */
  readonly metricsAddress?: string;
  /** A Unix socket in a directory that is closed to other users: calls by it need no credentials. Default: none. */
  readonly socketPath?: string;
}
