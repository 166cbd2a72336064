import {
  lookupIds,
  type ScopeLookup,
  type SecretFetcher,
  type SecretLookup,
  SecretsError,
  withoutGroups,
} from "@flyte-secrets/core";
import { planLookup, toLookupResult } from "./cache/lookup-plan.ts";

export interface DirectLookupOptions {
  readonly fetcher: SecretFetcher;
  /** Characters of an encoded id; longer ones are not looked up. See `lookupIds`. */
  readonly maxIdLength?: number | undefined;
}

/**
 * A lookup without a cache. All scopes of a key are fetched in one call, and the narrowest that has it wins. If a scope
 * cannot be read and no narrower one has the key, the lookup throws: a broader secret must not replace one that may
 * exist. A key that no secret can have is `invalid_argument`.
 */
export function createLookup({ fetcher, maxIdLength }: DirectLookupOptions): SecretLookup {
  const lookup: ScopeLookup = {
    async find(scope, key, options) {
      const { steps, notFound } = planLookup(fetcher, lookupIds(scope, key, maxIdLength));
      const fetched = await fetcher.fetch(
        steps.map(({ id }) => id),
        options,
      );
      for (const step of steps) {
        const value = fetched.get(step.id);
        if (value instanceof SecretsError) throw value;
        if (value) return toLookupResult(step, value, fetcher.namespace);
      }
      return notFound;
    },
  };
  return withoutGroups(lookup, fetcher.name);
}
