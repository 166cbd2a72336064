import {
  encodeSecretId,
  type FetchedValue,
  isSecretsError,
  type SecretFetcher,
  type SecretId,
  type SecretsError,
  type SecretValue,
} from "@flyte-secrets/core";

/** A secret manager that stores secrets under names of its own. See the package's README for how to add one. */
export interface SecretProvider {
  /** The name of its type in `webhook.embeddedSecretManagerConfig.type`. */
  readonly name: string;
  /** The Kubernetes namespace of its secrets, if they are in one. */
  readonly namespace?: string;
  /**
   * The names under which a secret may be stored, in order of precedence. Empty if the secret manager cannot have a
   * name for this id, for instance because it is too long.
   */
  namesOf(id: SecretId): readonly string[];
  /**
   * Reads many names at once. A name that does not exist is left out of the answer; a name that cannot be read has its
   * error there. Throws `SecretsError` if the call fails as a whole, and when `signal` is aborted.
   */
  read(names: readonly string[], options: ReadOptions): Promise<ReadonlyMap<string, FetchedValue>>;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
}

const NEVER = new AbortController().signal;

/** A fetcher over a provider. All names of all ids are read together; of each id the first name that exists counts. */
export function createProviderFetcher(provider: SecretProvider): SecretFetcher {
  const { name, namespace } = provider;
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    nameOf: (id) =>
      provider.namesOf(id).join(" or ") || `${encodeSecretId(id)}, which no secret of ${name} can be called`,
    async fetch(ids, { signal = NEVER } = {}) {
      const names = ids.map((id) => [id, provider.namesOf(id)] as const);
      const read = await provider.read([...new Set(names.flatMap(([, all]) => all))], { signal });
      const fetched = new Map<SecretId, FetchedValue>();
      for (const [id, all] of names) {
        const value = all.map((one) => read.get(one)).find((one) => one !== undefined);
        if (value !== undefined) fetched.set(id, value);
      }
      return fetched;
    },
  };
}

/**
 * Calls in flight to one secret manager: a pod may name hundreds of secrets, and secret managers limit the rate of
 * calls.
 */
const CONCURRENCY = 16;

/**
 * Reads names one by one, several at a time. `readOne` returns undefined for a name that does not exist, and throws
 * `SecretsError`.
 */
export async function readEach(
  names: readonly string[],
  readOne: (name: string) => Promise<SecretValue | undefined>,
): Promise<Map<string, FetchedValue>> {
  const read = new Map<string, FetchedValue>();
  await forEachConcurrently(names, async (name) => {
    const value = await readOne(name).catch(toValueError);
    if (value !== undefined) read.set(name, value);
  });
  return read;
}

/** Runs `work` for each item, for at most 16 at a time. */
export async function forEachConcurrently<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const runNext = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, runNext));
}

function toValueError(error: unknown): SecretsError {
  if (isSecretsError(error)) return error;
  throw error;
}
