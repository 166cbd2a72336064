import { isSecretsError } from "@flyte-secrets/core";
import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";
import type { SortKey } from "../options/secret-options.ts";
import { matchesPattern } from "./name-pattern.ts";

export interface ListSecretsOptions {
  readonly clusterPool?: string | undefined;
  /** Those of exactly this name. */
  readonly name?: string | undefined;
  /** Those whose names fit it; see {@link matchesPattern}. */
  readonly pattern?: string | undefined;
  /** Names from A to Z, times from the newest. Default: the service's order. */
  readonly sort?: SortKey | undefined;
  readonly limit?: number | undefined;
}

/** Few calls for many secrets, and no more than Flyte's own service gives at once. */
const PAGE_SIZE = 500;

/** The secrets of the client's scope and below, and whether there are more than the limit. */
export async function listSecrets(
  client: SecretsClient,
  { clusterPool, name, pattern, sort, limit = Number.POSITIVE_INFINITY }: ListSecretsOptions = {},
): Promise<{ readonly secrets: readonly Secret[]; readonly hasMore: boolean }> {
  const found: Secret[] = [];
  for await (const secret of Secret.listall({ client, clusterPool, limit: PAGE_SIZE })) {
    if (name !== undefined && secret.name !== name) continue;
    if (pattern !== undefined && !matchesPattern(secret.name, pattern)) continue;
    found.push(secret);
    if (sort === undefined && found.length > limit) break;
  }
  if (sort !== undefined) found.sort(ORDERS[sort]);
  return { secrets: found.slice(0, limit), hasMore: found.length > limit };
}

const byName = (one: Secret, other: Secret): number => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0);
const msOf = (time: Date | undefined): number => time?.getTime() ?? 0;

const ORDERS: Readonly<Record<SortKey, (one: Secret, other: Secret) => number>> = {
  name: byName,
  updated: (one, other) => msOf(other.updatedTime) - msOf(one.updatedTime) || byName(one, other),
  created: (one, other) => msOf(other.createdTime) - msOf(one.createdTime) || byName(one, other),
};

/** A scope that has secrets. */
export interface CountedScope {
  /** Empty for a domain as a whole, and for the global scope. */
  readonly project: string;
  /** Empty for the global scope. */
  readonly domain: string;
  readonly secrets: number;
  /**
   * The latest update of a secret there, or the latest creation where the service gives no updates; undefined with
   * neither.
   */
  readonly updated: Date | undefined;
}

/** The scopes that have secrets, from the widest to the narrowest, by names. */
export async function countScopes(client: SecretsClient): Promise<readonly CountedScope[]> {
  const scopes = new Map<string, CountedScope>();
  for await (const { project, domain, updatedTime, createdTime } of Secret.listall({ client, limit: PAGE_SIZE })) {
    const key = `${domain}/${project}`;
    const known = scopes.get(key) ?? { project, domain, secrets: 0, updated: undefined };
    const updated = newest(known.updated, updatedTime ?? createdTime);
    scopes.set(key, { ...known, secrets: known.secrets + 1, updated });
  }
  return [...scopes.keys()].sort().flatMap((key) => scopes.get(key) ?? []);
}

function newest(one: Date | undefined, other: Date | undefined): Date | undefined {
  return one === undefined || (other !== undefined && other > one) ? other : one;
}

/** Bounds of a survey: a hint in a message is not worth more time or calls. */
const MAX_SECRETS = 10_000;
const LIMIT_MS = 3_000;

/**
 * Secrets of all scopes of a client's service, for hints in messages: the first 10,000 that come within three seconds,
 * and none where the service refuses to list them or doesn't answer.
 */
export async function surveySecrets(client: SecretsClient): Promise<readonly Secret[]> {
  const found: Secret[] = [];
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    for await (const secret of Secret.listall({ client: everywhere(client), limit: PAGE_SIZE, signal })) {
      found.push(secret);
      if (found.length >= MAX_SECRETS) break;
    }
  } catch (error) {
    if (!isSecretsError(error)) throw error;
  }
  return found;
}

/** The same client without a scope. */
function everywhere(client: SecretsClient): SecretsClient {
  return { ...client, connection: { ...client.connection, project: "", domain: "" } };
}
