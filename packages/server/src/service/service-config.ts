/** Who may call: anyone, or whoever sends the one token. */
export type ServiceAuth = { readonly mode: "none" } | { readonly mode: "token"; readonly token: string };

/** What the service has to know beside its store; the `secret` section of spec page 7. */
export interface ServiceConfig {
  /** Organization of every secret, whatever a request says; Flyte's own is `flyte`. */
  readonly organization: string;
  readonly auth: ServiceAuth;
  /** Where caches are told of each write, see {@link createInvalidation}; empty: nowhere. */
  readonly webhookURL: string;
}
