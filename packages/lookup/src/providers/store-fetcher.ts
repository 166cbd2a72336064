import {
  type FetchedValue,
  isSecretsError,
  type SecretFetcher,
  type SecretId,
  type SecretStore,
} from "@flyte-secrets/core";

/** Reads values straight from a store that answers from its own disk or memory: a read of the embedded one takes some 30 µs. */
export function createStoreFetcher(store: Pick<SecretStore, "read">): SecretFetcher {
  return {
    name: "Store",
    async fetch(ids, options) {
      const fetched = new Map<SecretId, FetchedValue>();
      for (const id of ids) {
        try {
          const value = await store.read(id, options);
          if (value) fetched.set(id, value);
        } catch (error) {
          if (!isSecretsError(error, "store_damaged", "value_unreadable")) throw error;
          fetched.set(id, error);
        }
      }
      return fetched;
    },
  };
}
