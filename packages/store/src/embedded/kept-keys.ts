import { readdirSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { describeBackups, type KnownBackup, readBackups } from "./backup-list.ts";
import { openKeyring, readKeyId } from "./keyring.ts";
import { toMasterKey } from "./master-key.ts";
import { StoreDatabase } from "./store-database.ts";
import { existingStoreDirectory, keptKeyFile, type StoreDirectory, syncDirectory } from "./store-directory.ts";

/** A master key of a store, without the key. */
export interface KnownKey {
  /** 16 hex digits. */
  readonly id: string;
  /** `present`: it opens the store. `kept`: a former one, beside the key file. `gone`: backups need it, and it isn't here. */
  readonly state: "present" | "kept" | "gone";
  /** The backups that only it opens, oldest first, as far as the store remembers them. */
  readonly backups: readonly KnownBackup[];
}

export interface KnownKeysOptions {
  readonly directory: string;
  /** The master key; absent: the one in the key file. */
  readonly masterKey?: Uint8Array;
}

/** The present master key of a store first, then those that were in its place and those that backups were made under. */
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

/** Removes a former master key, with which backups that were made under it can't be restored here any more. `not_found` where it isn't kept. */
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
      `key: only ${id} opens ${describeBackups(backups)}. Keep a copy of the key for them, or lose them (--yes). Nothing was removed.`,
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
