import { encodeSecretId, type SecretId, type StoredSecretType } from "@flyte-secrets/core";
import type { StoreDatabase } from "./database.ts";
import { seal, unseal } from "./seal.ts";
import { type SealedRow, type SecretRow, SecretTable } from "./secret-table.ts";

/** The parts of a row that are authenticated together with its value. */
export type BoundRow = Pick<SecretRow, keyof SecretId | "type" | "system" | "created_at_ms" | "version">;

/** Seals a value so that it opens only in this row: for this id, type, mark, time of creation and version. */
export function sealValue(key: Uint8Array, row: BoundRow, plain: Uint8Array): Uint8Array {
  return seal(key, contextOf(row), plain);
}

/** Opens a value of {@link sealValue}; undefined for another key or row, and for a damaged value. */
export function unsealValue(key: Uint8Array, row: Omit<SealedRow, "value_row">): Uint8Array | undefined {
  return unseal(key, contextOf(row), row.sealed);
}

/** As {@link unsealValue} for a store of schema 1, in which a value was bound to id and type only. */
export function unsealUnboundValue(
  key: Uint8Array,
  { type, sealed, ...id }: SecretId & { type: StoredSecretType; sealed: Uint8Array },
) {
  return unseal(key, `${type} ${encodeSecretId(id)}`, sealed);
}

// No part contains a blank, and the first contexts of all began with the type.
const contextOf = (row: BoundRow): string =>
  `2 ${row.type} ${row.system} ${row.version} ${row.created_at_ms} ${encodeSecretId(row)}`;

export interface ResealOptions {
  /** Opens a value as it is sealed now; undefined where it can't. */
  readonly open: (row: SealedRow) => Uint8Array | undefined;
  readonly seal: (row: SealedRow, plain: Uint8Array) => Uint8Array;
}

/**
 * Seals every value anew, inside the transaction that changes the key or the binding. A value that doesn't open is left
 * as it is: it was damaged before, and writing the secret again repairs it. Returns how many were sealed.
 */
export function resealValues(database: StoreDatabase, { open, seal }: ResealOptions): number {
  const secrets = new SecretTable(database);
  let count = 0;
  for (const id of database.statement("SELECT org, domain, project, name FROM secrets").all()) {
    // The tables are STRICT: SQLite keeps the columns to these types.
    const row = secrets.findSealed(id as unknown as SecretId);
    const plain = row && open(row);
    if (!plain) continue;
    secrets.replace(row, seal(row, plain));
    count += 1;
  }
  return count;
}
