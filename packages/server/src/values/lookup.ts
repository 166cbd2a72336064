import {
  encodeSecretId,
  type LookupAttempt,
  lookupIds,
  type SecretFetcher,
  type SecretLookup,
} from "@flyte-secrets/core";

/**
 * A lookup over one fetcher. All scopes of a key are fetched in one call and the narrowest that has it wins; when any of them
 * cannot be read the lookup throws, since a broader secret must not take the place of one that may exist. A
 * key that no secret can have is `invalid_argument`.
 */
export function createLookup({ fetcher }: { fetcher: SecretFetcher }): SecretLookup {
  return {
    async find(scope, key, options) {
      const candidates = lookupIds(scope, key);
      const values = await fetcher.fetch(
        candidates.map(({ id }) => id),
        options,
      );
      const attempts: LookupAttempt[] = [];
      for (const { level, id } of candidates) {
        const value = values.get(id);
        attempts.push({
          provider: fetcher.name,
          level,
          id: encodeSecretId(id),
          outcome: value ? "found" : "not found",
        });
        if (value) return { found: true, id, level, value, attempts };
      }
      return { found: false, attempts };
    },
  };
}
