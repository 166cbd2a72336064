import type { SecretValue } from "@flyte-secrets/core";
import {
  encodeSecretId,
  type FetchedValue,
  isSecretsError,
  type SecretFetcher,
  type SecretId,
  type SecretsError,
} from "@flyte-secrets/core";

/** A secret manager that knows secrets by names of its own. */
export interface NamedBackend {
  /** As in `embeddedSecretManagerConfig.type`. */
  readonly name: string;
  readonly namespace?: string;
  /** The names that a secret may have, in the order in which they count; none when the manager can't have it. */
  namesOf(id: SecretId): readonly string[];
  /** As `SecretFetcher.fetch`, by name. */
  read(names: readonly string[], options: ReadOptions): Promise<ReadonlyMap<string, FetchedValue>>;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
}

const NEVER = new AbortController().signal;

/** A fetcher over a secret manager with names. All names of all ids are read together; the first of an id that is there counts. */
export function createNamedFetcher(backend: NamedBackend): SecretFetcher {
  const { name, namespace } = backend;
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    nameOf: (id) =>
      backend.namesOf(id).join(" or ") || `${encodeSecretId(id)}, which no secret of ${name} can be called`,
    async fetch(ids, { signal = NEVER } = {}) {
      const names = ids.map((id) => [id, backend.namesOf(id)] as const);
      const read = await backend.read([...new Set(names.flatMap(([, all]) => all))], { signal });
      const fetched = new Map<SecretId, FetchedValue>();
      for (const [id, all] of names) {
        const value = all.map((one) => read.get(one)).find((one) => one !== undefined);
        if (value !== undefined) fetched.set(id, value);
      }
      return fetched;
    },
  };
}

/** Calls under way at once to a manager that reads one secret a call. */
const CONCURRENCY = 16;

/** Reads names one by one, several at a time. `readOne` gives undefined for what isn't there, and throws `SecretsError`. */
export async function readEach(
  names: readonly string[],
  readOne: (name: string) => Promise<SecretValue | undefined>,
): Promise<Map<string, FetchedValue>> {
  const read = new Map<string, FetchedValue>();
  await severalAtOnce(names, async (name) => {
    const value = await readOne(name).catch(toOwnError);
    if (value !== undefined) read.set(name, value);
  });
  return read;
}

/** Carries out `work` on each item, on 16 at a time: a pod may name hundreds of secrets, and a manager counts its callers' calls. */
export async function severalAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const takeTurns = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, takeTurns));
}

function toOwnError(error: unknown): SecretsError {
  if (isSecretsError(error)) return error;
  throw error;
}
