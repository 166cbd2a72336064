import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";
import { fitsPattern } from "./name-pattern.ts";

export const SORT_KEYS = ["name", "updated", "created"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export interface ListChoices {
  readonly clusterPool?: string | undefined;
  /** Those of exactly this name. */
  readonly name?: string | undefined;
  /** Those whose names fit it; see {@link fitsPattern}. */
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
  { clusterPool, name, pattern, sort, limit = Number.POSITIVE_INFINITY }: ListChoices = {},
): Promise<{ readonly secrets: readonly Secret[]; readonly hasMore: boolean }> {
  const found: Secret[] = [];
  for await (const secret of Secret.listall({ client, clusterPool, limit: PAGE_SIZE })) {
    if (name !== undefined && secret.name !== name) continue;
    if (pattern !== undefined && !fitsPattern(secret.name, pattern)) continue;
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
