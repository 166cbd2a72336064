import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import type { SecretStore } from "@flyte-secrets/core";
import { LookupService, SecretService } from "@flyte-secrets/idl";
import type { Logger } from "pino";
import { createAuthentication } from "./auth/create-authentication.ts";
import { createRoutes } from "./create-routes.ts";

export { createLogger } from "@flyte-secrets/http";

export interface InProcessServiceOptions {
  /** Stays the caller's to close. */
  readonly store: SecretStore;
  readonly organization: string;
  readonly log: Logger;
}

/**
 * Creates a client of the secret service over a store without a server: calls, checks, limits and errors are those of a
 * server, by the same code. It needs no credentials, because whoever has the store open may do everything with it.
 */
export function createInProcessService({
  store,
  organization,
  log,
}: InProcessServiceOptions): Client<typeof SecretService> & Client<typeof LookupService> {
  const auth = { mode: "none" } as const;
  // Webhooks on this store follow its change feed.
  const config = { organization, auth, webhookURL: "" };
  const authentication = createAuthentication(auth, log);
  const routes = createRoutes({ store, config, authentication, log, onCall: () => {}, onWrite: undefined });
  const transport = createRouterTransport(routes.addTo);
  return { ...createClient(SecretService, transport), ...createClient(LookupService, transport) };
}
