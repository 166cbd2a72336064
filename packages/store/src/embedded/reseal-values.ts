import type { SecretId } from "@flyte-secrets/core";
import { type SealedRow, SecretTable } from "./secret-table.ts";
import type { StoreDatabase } from "./store-database.ts";

export interface ResealOptions {
  /** Opens a value as it is sealed now; undefined where it can't. */
  readonly open: (row: SealedRow) => Uint8Array | undefined;
  readonly seal: (row: SealedRow, plain: Uint8Array) => Uint8Array;
}

/**
 * Seals every value anew, inside the transaction that changes what they are sealed with. A value that doesn't open is left as it is: it
 * was damaged before, and writing the secret again mends it. Tells how many were sealed.
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
