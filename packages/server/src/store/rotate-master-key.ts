import { rewrapDataKey } from "./keyring.ts";
import { createMasterKey, toMasterKey } from "./master-key.ts";
import { StoreDatabase } from "./store-database.ts";
import { existingStoreDirectory } from "./store-directory.ts";

export interface RotateMasterKeyOptions {
  readonly directory: string;
  /** Both keys, 32 bytes each, for a store whose key is not in the key file. Absent: a new random key in the key file. */
  readonly keys?: { readonly current: Uint8Array; readonly next: Uint8Array };
}

/**
 * Puts a new master key in place of the present one, for `flyte-secrets keys rotate`. Values stay as they are: only the data
 * key is wrapped anew, so servers that have the store open go on undisturbed. Cut off at any point it leaves a store that
 * opens, with the old key or the new one. Backups keep the key they were made under.
 */
export async function rotateMasterKey({ directory, keys }: RotateMasterKeyOptions): Promise<void> {
  const database = await StoreDatabase.open(existingStoreDirectory(directory));
  try {
    if (keys) await rewrapDataKey(database, toMasterKey(keys.next), toMasterKey(keys.current));
    else await rewrapDataKey(database, createMasterKey());
  } finally {
    database.close();
  }
}
