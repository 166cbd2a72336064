import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { type SecretScope, type SecretStore, SecretsError } from "@flyte-secrets/core";
import type { EmbeddedStore } from "@flyte-secrets/store";
import { embeddedStoreOptions } from "../configured/store-options.ts";

/**
 * The data directory of this user's store. `invalid_config` when the configuration names a store that is not on this
 * machine.
 */
export function storeDirectory({ secret }: Config): string {
  if (secret.store.type === "Embedded") return secret.store.path;
  throw new SecretsError(
    "invalid_config",
    "this command works on the store of this machine, and the configuration names Kubernetes; add " +
      "--secret.store.type Embedded",
  );
}

/** Throws `not_found` where there is no store in the directory. */
export function assertStoreExists(directory: string): void {
  if (existsSync(join(directory, "store.db"))) return;
  throw new SecretsError("not_found", `no store in ${directory} yet; flyte-secrets create secret NAME makes one`);
}

/** Opens the store; a server may have it open too. One that is not there is `not_found`, never made. */
export async function openOwnStore(config: Config): Promise<EmbeddedStore> {
  const directory = storeDirectory(config);
  assertStoreExists(directory);
  const { openEmbeddedStore } = await import("@flyte-secrets/store");
  return openEmbeddedStore(embeddedStoreOptions(config));
}

/** {@link openOwnStore} for as long as `use` runs. */
export async function withOwnStore<T>(config: Config, use: (store: EmbeddedStore) => Promise<T>): Promise<T> {
  const store = await openOwnStore(config);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const PAGE_SIZE = 500;

/** The scope of each secret of an organization. */
export async function listScopes(store: SecretStore, org: string): Promise<SecretScope[]> {
  const scopes: SecretScope[] = [];
  let token = "";
  do {
    const everything = { org, project: "", domain: "" };
    const page = await store.list({
      scope: everything,
      limit: PAGE_SIZE,
      token,
      clusterTokens: {},
      includeSystem: false,
    });
    scopes.push(...page.entries.map(({ id }) => id));
    token = page.token;
  } while (token !== "");
  return scopes;
}

/** The names of all secrets at exactly this scope. */
export async function listNames(store: SecretStore, scope: SecretScope): Promise<string[]> {
  const names: string[] = [];
  let token = "";
  do {
    const page = await store.list({ scope, limit: PAGE_SIZE, token, clusterTokens: {}, includeSystem: false });
    for (const { id } of page.entries) {
      if (id.domain === scope.domain && id.project === scope.project) names.push(id.name);
    }
    token = page.token;
  } while (token !== "");
  return names;
}
