import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { createSecretsClient, type SecretsClient } from "@flyte-secrets/sdk/remote";
import type { Host } from "../host.ts";
import type { ScopeOptions } from "../options/common-options.ts";
import { readConfig } from "../options/setting-options.ts";
import { openOwnStoreClient } from "./own-store-client.ts";
import type { Target } from "./target.ts";

export interface OpenClientOptions extends ScopeOptions {
  readonly host: Host;
  /** The command puts a secret there: a store of this user's that is not there yet is made. Default false. */
  readonly mayMake?: boolean;
}

/**
 * A client of a target (see `target.ts` for how one is found) for one scope: none given is global, as in Flyte's CLI,
 * whatever the environment says of a task's. This user's store is opened where no server serves it, as `run` opens it.
 */
export async function openClient(target: Target, options: OpenClientOptions): Promise<SecretsClient> {
  const { project = "", domain = "", host, mayMake = false } = options;
  if (target.kind === "server") return createSecretsClient({ ...target.connection, project, domain });
  if (target.kind === "endpoint") {
    return sayingTokens(createSecretsClient({ ...target.connection, project, domain }), target.namedBy);
  }
  const config = await readConfig({}, host);
  if (config.secret.store.type === "Embedded") return await openOwnStoreClient(config, { project, domain, mayMake });
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

/** What the service says of headers is for those who write clients: here it is followed by what to set. */
function sayingTokens(client: SecretsClient, namedBy: string | undefined): SecretsClient {
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
