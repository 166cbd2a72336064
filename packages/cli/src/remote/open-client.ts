import type { Config } from "@flyte-secrets/config";
import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { createSecretsClient, type SecretsClient, wrapSecretService } from "@flyte-secrets/sdk/remote";
import { embeddedStoreOptions } from "../configured/store-options.ts";
import type { CliContext } from "../context.ts";
import type { ScopeOptions } from "../options/secret-options.ts";
import { readConfig } from "../options/setting-options.ts";
import { assertStoreExists, storeDirectory } from "../store/own-store.ts";
import type { Target } from "./target.ts";

export interface OpenClientOptions extends ScopeOptions {
  readonly cli: CliContext;
  /** The command puts a secret there: a store of this user's that is not there yet is made. Default false. */
  readonly mayCreateStore?: boolean;
}

/**
 * Opens a client of a target (see `target.ts`) for one scope. Without scope options it is the global one, as in Flyte's
 * CLI, whatever task scope the environment has. If no server runs, the user's own store is opened directly, as in
 * `run`.
 */
export async function openClient(target: Target, options: OpenClientOptions): Promise<SecretsClient> {
  const { project = "", domain = "", cli, mayCreateStore = false } = options;
  if (target.kind === "server") return createSecretsClient({ ...target.connection, project, domain });
  if (target.kind === "endpoint") {
    return withTokenHint(createSecretsClient({ ...target.connection, project, domain }), target.namedBy);
  }
  const config = await readConfig({}, cli);
  if (config.secret.store.type === "Embedded")
    return await openOwnStoreClient(config, { project, domain, mayCreateStore });
  throw new SecretsError(
    "no_service",
    "the configuration keeps secrets in Kubernetes, and no server is named. Name one: " +
      "--endpoint, FLYTE_ENDPOINT, or admin.endpoint in ~/.flyte/config.yaml",
  );
}

/** Clients of one target, for several scopes. */
export interface ScopedClients extends AsyncDisposable {
  at(scope: ScopeOptions): Promise<SecretsClient>;
}

/** {@link openClient} for several scopes, with one store opened for all of them. */
export function openClients(target: Target, options: Omit<OpenClientOptions, keyof ScopeOptions>): ScopedClients {
  const opened = new AsyncDisposableStack();
  let store: SecretsClient | undefined;
  return {
    async at({ project = "", domain = "" }) {
      if (target.kind !== "store") return opened.use(await openClient(target, { ...options, project, domain }));
      store ??= opened.use(await openClient(target, options));
      return { ...store, connection: { ...store.connection, project, domain } };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A client whose `unauthenticated` errors name the variable to set: the service's own text is about headers. */
function withTokenHint(client: SecretsClient, namedBy: string | undefined): SecretsClient {
  const { endpoint } = client.connection;
  // See `findConnection`: a token of the environment's doesn't follow a file.
  const isFile = namedBy?.includes("/");
  const remedy = isFile
    ? `set FLYTE_SECRETS_TOKEN, and name the endpoint, since the token goes to no other: --endpoint ${endpoint}`
    : `set FLYTE_SECRETS_TOKEN to a token of ${endpoint}`;
  return {
    ...client,
    async call(options, make) {
      try {
        return await client.call(options, make);
      } catch (error) {
        if (!isSecretsError(error, "unauthenticated")) throw error;
        throw new SecretsError("unauthenticated", `${remedy} (it says: ${error.message})`, { cause: error });
      }
    },
  };
}

/** For one call, which may have to wait for another process that holds the store. */
const CALL_LIMIT_MS = 30_000;

export interface OwnStoreOptions {
  readonly project: string;
  readonly domain: string;
  /** Make the store where there is none. */
  readonly mayCreateStore: boolean;
}

/**
 * A client of this user's store that needs no server: the same calls with the same answers, on the opened store. A
 * server or webhook that has the store open too learns of each write by the store's change feed. What opening the store
 * throws, and `not_found` for one that is not there and may not be made.
 */
export async function openOwnStoreClient(config: Config, options: OwnStoreOptions): Promise<SecretsClient> {
  const { project, domain, mayCreateStore } = options;
  const directory = storeDirectory(config);
  if (!mayCreateStore) assertStoreExists(directory);
  const { openEmbeddedStore } = await import("@flyte-secrets/store");
  const { createInProcessService } = await import("@flyte-secrets/service");
  const { createLogger } = await import("@flyte-secrets/http");
  const { organization } = config.secret;
  // The command prints what a call did; only unexpected errors are logged.
  const log = createLogger({ ...config.logger, level: "error" });
  const opened = await openEmbeddedStore({ ...embeddedStoreOptions(config), log });
  const client = wrapSecretService(createInProcessService({ store: opened, organization, log }), {
    endpoint: directory,
    // The store's organization replaces that of requests, as in a server.
    org: "",
    project,
    domain,
    auth: { kind: "none" },
    tls: { rejectUnauthorized: true },
    timeoutMs: CALL_LIMIT_MS,
    ownServerRoute: { kind: "socket", directory },
  });
  return { ...client, [Symbol.asyncDispose]: () => opened.close() };
}
