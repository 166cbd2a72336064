import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";

/** A scope that has secrets. */
export interface CountedScope {
  /** Empty for a domain as a whole, and for the global scope. */
  readonly project: string;
  /** Empty for the global scope. */
  readonly domain: string;
  readonly secrets: number;
  /** When the newest of them was written, or made where the service tells no more; undefined where it tells neither. */
  readonly updated: Date | undefined;
}

const PAGE_SIZE = 500;

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
