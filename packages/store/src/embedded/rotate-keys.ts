import { SecretsError } from "@flyte-secrets/core";
import { type KnownBackup, readBackups } from "./backup-list.ts";
import { replaceDataKey, rewrapDataKey } from "./keyring.ts";
import { createMasterKey, toMasterKey } from "./master-key.ts";
import { StoreDatabase } from "./store-database.ts";
import { existingStoreDirectory } from "./store-directory.ts";

export interface RotateMasterKeyOptions {
  readonly directory: string;
  /** Both keys, 32 bytes each, for a store whose key is not in the key file. Absent: a new random key in the key file. */
  readonly keys?: { readonly current: Uint8Array; readonly next: Uint8Array };
}

/** The master key that a rotation replaced. */
export interface FormerKey {
  /** 16 hex digits. */
  readonly id: string;
  /** The backups that only it opens, oldest first, as far as the store remembers them. */
  readonly backups: readonly KnownBackup[];
}

/**
 * Puts a new master key in place of the present one, for `flyte-secrets keys rotate`. Values stay as they are: only the data
 * key is wrapped anew, so servers that have the store open go on undisturbed. Cut off at any point it leaves a store that
 * opens, with the old key or the new one. Backups keep the key they were made under; that of the key file is kept beside it
 * for them, one that was passed in has to be kept by whoever has it.
 */
export async function rotateMasterKey({ directory, keys }: RotateMasterKeyOptions): Promise<FormerKey> {
  const next = keys ? toMasterKey(keys.next) : createMasterKey();
  const current = keys && toMasterKey(keys.current);
  if (current?.id === next.id) {
    throw new SecretsError(
      "invalid_argument",
      "next master key: it is the present one. Make another: openssl rand -base64 32",
    );
  }
  return await withDatabase(directory, async (database) => {
    const id = await rewrapDataKey(database, next, current);
    const backups = await database.read(() => readBackups(database));
    return { id, backups: backups.filter(({ keyId }) => keyId === id) };
  });
}

export interface RotateDataKeyOptions {
  readonly directory: string;
  /** The master key; absent: the one in the key file. */
  readonly masterKey?: Uint8Array;
}

/**
 * Seals every value anew under a new data key, for `flyte-secrets keys rotate --data`: in one transaction, so that a rotation that is cut off
 * didn't happen. Writes wait for it, 60 µs a secret. Servers that have the store open go on undisturbed.
 */
export async function rotateDataKey({ directory, masterKey }: RotateDataKeyOptions): Promise<void> {
  await withDatabase(directory, (database) => replaceDataKey(database, masterKey && toMasterKey(masterKey)));
}

async function withDatabase<T>(directory: string, use: (database: StoreDatabase) => Promise<T>): Promise<T> {
  const database = await StoreDatabase.open(existingStoreDirectory(directory));
  try {
    return await use(database);
  } finally {
    database.close();
  }
}
