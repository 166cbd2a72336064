import type { SecretScope, SecretStore } from "@flyte-secrets/core";

const PAGE_SIZE = 500;

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
