/** Who may call: anyone, whoever sends the one token, or whoever sends a token of an issuer. */
export type ServiceAuth = { readonly mode: "none" } | TokenAuth | OidcAuth;

/** One token for all callers, or what gives the one that counts now: it is asked with every call. */
export interface TokenAuth {
  readonly mode: "token";
  readonly token: string | (() => string);
}

/** Tokens of an issuer, and what clients are told that they need to get one there. */
export interface OidcAuth {
  readonly mode: "oidc";
  /** The issuer's URL, exactly as its tokens name it. */
  readonly issuer: string;
  /** What tokens must be for. */
  readonly audience: string;
  /** How far the issuer's clock may be from this machine's. */
  readonly clockSkewMs: number;
  /** The public client that Flyte's clients log in as; empty: they must be configured with one. */
  readonly clientId: string;
  readonly redirectUri: string;
  /** What clients ask the issuer for. Tokens are not checked for them. */
  readonly scopes: readonly string[];
}

/** What the service has to know beside its store; the `secret` section of the configuration. */
export interface ServiceConfig {
  /** Organization of every secret, whatever a request says; Flyte's own is `flyte`. */
  readonly organization: string;
  readonly auth: ServiceAuth;
  /** Where caches are told of each write, see {@link createInvalidation}; empty: nowhere. */
  readonly webhookURL: string;
  /** What those caches ask for, if they do. */
  readonly webhookToken?: string | undefined;
  /** Names of this server beside `localhost` and IP addresses. Where nobody asks for credentials, it can be called by no other. */
  readonly allowedHosts?: readonly string[];
  /** What the bodies of all requests under way may take together. Default 64 MiB. */
  readonly maxBodyBytes?: number;
}
