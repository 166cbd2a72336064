import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import type { SecretStore } from "@flyte-secrets/core";
import { SecretService } from "@flyte-secrets/idl";
import type { Logger } from "pino";
import { createAuthentication } from "./auth/create-authentication.ts";
import { createRoutes } from "./rpc/create-routes.ts";

export { createLogger } from "@flyte-secrets/http";

export interface InProcessServiceOptions {
  /** Stays the caller's to close. */
  readonly store: SecretStore;
  readonly organization: string;
  readonly log: Logger;
}

/**
 * The secret service over a store, called without a server: the calls, checks, limits and errors are those that a server
 * has, on the same code. It asks for no credentials, as whoever has the store open may do everything with it. An entry of
 * its own, since other commands don't need the RPC stack.
 */
export function createInProcessService({
  store,
  organization,
  log,
}: InProcessServiceOptions): Client<typeof SecretService> {
  const auth = { mode: "none" } as const;
  // Webhooks on this store learn of writes by its change feed.
  const config = { organization, auth, webhookURL: "" };
  const authentication = createAuthentication(auth, log);
  const routes = createRoutes({ store, config, authentication, log, onCall: () => {}, onWrite: undefined });
  return createClient(SecretService, createRouterTransport(routes));
}
