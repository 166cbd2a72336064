import type { Config } from "@flyte-secrets/config";
import { type SecretsClient, wrapSecretService } from "@flyte-secrets/sdk/remote";
import { assertStoreThere, storeDirectory } from "../store/with-store.ts";

/** For one call, which may have to wait for another process that holds the store. */
const CALL_LIMIT_MS = 30_000;

export interface OwnStoreOptions {
  readonly project: string;
  readonly domain: string;
  /** Make the store where there is none. */
  readonly mayMake: boolean;
}

/**
 * A client of this user's store that needs no server: the same calls with the same answers, on the opened store. A server or
 * webhook that has the store open too learns of each write by the store's change feed. What opening the store throws, and
 * `not_found` for one that is not there and may not be made.
 */
export async function openOwnStoreClient(config: Config, options: OwnStoreOptions): Promise<SecretsClient> {
  const { project, domain, mayMake } = options;
  const directory = storeDirectory(config);
  if (!mayMake) assertStoreThere(directory);
  const { openEmbeddedStore } = await import("@flyte-secrets/store");
  const { createInProcessService } = await import("@flyte-secrets/service");
  const { createLogger } = await import("@flyte-secrets/http");
  const { organization, kubernetes, store } = config.secret;
  // What a call did is said by the command; what went wrong unforeseen stands here alone.
  const log = createLogger({ ...config.logger, level: "error" });
  const opened = await openEmbeddedStore({
    directory,
    clusterName: kubernetes.clusterName,
    log,
    ...(store.masterKey && { masterKey: store.masterKey.revealBytes() }),
  });
  const client = wrapSecretService(createInProcessService({ store: opened, organization, log }), {
    endpoint: directory,
    // The store's own stands in whatever a request says, as with a server.
    org: "",
    project,
    domain,
    auth: { kind: "none" },
    tls: { rejectUnauthorized: true },
    timeoutMs: CALL_LIMIT_MS,
    own: { kind: "socket", directory },
  });
  return { ...client, [Symbol.asyncDispose]: () => opened.close() };
}
