import { readdirSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { syncDirectory } from "../files/private-files.ts";
import { describeBackups, type KnownBackup, readBackups } from "./backup-list.ts";
import { StoreDatabase } from "./database.ts";
import { existingStoreDirectory, keptKeyFile, type StoreDirectory } from "./directory.ts";
import { openKeyring, readKeyId, replaceDataKey, rewrapDataKey } from "./keyring.ts";
import { createMasterKey, toMasterKey } from "./master-key.ts";

/** A master key of a store, without the key. */
export interface KnownKey {
  /** 16 hex digits. */
  readonly id: string;
  /**
   * `present`: it opens the store. `kept`: a former key beside the key file. `gone`: backups need it, and it is
   * missing.
   */
  readonly state: "present" | "kept" | "gone";
  /** The recorded backups that only it opens, oldest first. */
  readonly backups: readonly KnownBackup[];
}

export interface KnownKeysOptions {
  readonly directory: string;
  /** The master key. Default: the one in the key file. */
  readonly masterKey?: Uint8Array;
}

/** The master keys of a store: the present one first, then former ones and those that backups were made under. */
export async function listKeys({ directory, masterKey }: KnownKeysOptions): Promise<readonly KnownKey[]> {
  const store = existingStoreDirectory(directory);
  const database = await StoreDatabase.open(store);
  try {
    await openKeyring(database, masterKey && toMasterKey(masterKey));
    const present = await readKeyId(database);
    const backups = await database.read(() => readBackups(database));
    const kept = new Set(keptIds(store));
    const ids = new Set([present, ...kept, ...backups.map(({ keyId }) => keyId)]);
    return [...ids].map((id) => ({
      id,
      state: id === present ? "present" : kept.has(id) ? "kept" : "gone",
      backups: backups.filter(({ keyId }) => keyId === id),
    }));
  } finally {
    database.close();
  }
}

export interface DiscardKeyOptions extends KnownKeysOptions {
  readonly id: string;
  /** Whether the backups that only this key opens may be lost. Default false: `invalid_argument`, which names them. */
  readonly lose?: boolean;
}

/**
 * Deletes a former master key; backups that were made under it can't be restored here afterwards. `not_found` if it
 * isn't kept.
 */
export async function discardKey({ id, lose = false, ...options }: DiscardKeyOptions): Promise<void> {
  const store = existingStoreDirectory(options.directory);
  if (!keptIds(store).includes(id)) {
    throw new SecretsError(
      "not_found",
      `no former master key of that id is kept in ${store.path}; flyte-secrets keys list names them`,
    );
  }
  const key = lose ? undefined : (await listKeys(options)).find((each) => each.id === id);
  const backups = key?.state === "kept" ? key.backups : [];
  if (backups.length > 0) {
    throw new SecretsError(
      "invalid_argument",
      `key: only ${id} opens ${describeBackups(backups)}. Keep a copy of the key for them, or lose them (--yes). ` +
        "Nothing was removed.",
    );
  }
  rmSync(keptKeyFile(store, id));
  syncDirectory(store.path);
}

function keptIds({ path, keyFile }: StoreDirectory): readonly string[] {
  const prefix = `${basename(keyFile)}.`;
  const names = readdirSync(path).filter(
    (name) => name.startsWith(prefix) && /^[0-9a-f]{16}$/.test(name.slice(prefix.length)),
  );
  return names.map((name) => name.slice(prefix.length)).sort();
}

export interface RotateMasterKeyOptions {
  readonly directory: string;
  /**
   * Both keys, 32 bytes each, for a store whose key is not in the key file. Default: a new random key in the key file.
   */
  readonly keys?: { readonly current: Uint8Array; readonly next: Uint8Array };
}

/** The master key that a rotation replaced. */
export interface FormerKey {
  /** 16 hex digits. */
  readonly id: string;
  /** The recorded backups that only it opens, oldest first. */
  readonly backups: readonly KnownBackup[];
}

/**
 * Replaces the master key, for `flyte-secrets keys rotate`. Only the data key is wrapped anew, so values stay as they
 * are and servers that have the store open are not affected. An interrupted rotation leaves a store that opens with the
 * old key or the new one. Backups still need the key they were made under: a key of the key file is kept beside it, a
 * key that was passed in is not.
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
  /** The master key. Default: the one in the key file. */
  readonly masterKey?: Uint8Array;
}

/**
 * Seals every value anew under a new data key, for `flyte-secrets keys rotate --data`. It is one transaction, so that
 * an interrupted rotation has no effect; writes wait for it, 60 µs a secret. Servers that have the store open are not
 * affected.
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
