import type { SecretFetcher, SecretId, SecretStore, SecretValue } from "@flyte-secrets/core";

/**
 * Reads values straight from a store that answers from its own disk or memory. For the embedded store a cache would gain
 * nothing: a read takes some 30 µs, is always current, also after another process's write, and leaves no plain value lying in memory.
 */
export function createStoreFetcher(store: SecretStore): SecretFetcher {
  return {
    name: "Store",
    async fetch(ids, options) {
      const values = new Map<SecretId, SecretValue>();
      for (const id of ids) {
        const value = await store.read(id, options);
        if (value) values.set(id, value);
      }
      return values;
    },
  };
}
