import { hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import { createMasterKey, type MasterKey, promoteNextKey, readKeyFile, writeNextKey } from "./master-key.ts";
import { MIGRATIONS } from "./schema.ts";
import { KEY_BYTES, seal, unseal } from "./seal.ts";
import type { StoreDatabase } from "./store-database.ts";
import type { StoreDirectory } from "./store-directory.ts";

/** The keys of an open store, all derived from its one data key. */
export interface Keyring {
  /** Random, made with the store, kept by its backups. */
  readonly storeId: string;
  readonly valueKey: Uint8Array;
  readonly pageTokenKey: Uint8Array;
}

/** The one row of the `keyring` table: the data key, wrapped by the master key of that id. */
interface KeyringRow {
  readonly store_id: string;
  readonly key_id: string;
  readonly wrapped_data_key: Uint8Array;
}

/**
 * Opens the store's keys with the master key given, else with the one of the key file. An empty database becomes a store, with
 * a new key file where there is none. `store_key_missing` and `store_key_wrong` change nothing.
 */
export async function openKeyring(database: StoreDatabase, given: MasterKey | undefined): Promise<Keyring> {
  const opened = await database.read(() => openUnlocked(database, given));
  if (opened) return opened;
  return await database.write(() => {
    if (database.schemaVersion() === 0) return createKeyring(database, given);
    const row = readRow(database);
    const dataKey = unwrap(row, given ?? settleKeyFile(database.directory, row.key_id), database.directory);
    database.migrate();
    return derive(row, dataKey);
  });
}

/**
 * Wraps the data key with `next` instead of the present master key. In the key file, when `given` is undefined: the new key
 * lies beside the old one until the database names it, so that at every moment one of the two opens the store, and whoever
 * opens it next puts a key file in place that a crash left behind.
 */
export async function rewrapDataKey(database: StoreDatabase, next: MasterKey, given?: MasterKey): Promise<void> {
  await database.write(() => {
    const row = readRow(database);
    const dataKey = unwrap(row, given ?? settleKeyFile(database.directory, row.key_id), database.directory);
    if (!given) writeNextKey(database.directory, next);
    database
      .statement("UPDATE keyring SET key_id = ?, wrapped_data_key = ?")
      .run(next.id, seal(next.bytes, wrapContext(row.store_id), dataKey));
  });
  // A second transaction, since the database must name the new key before the old one goes.
  if (!given) await database.write(() => settleKeyFile(database.directory, readRow(database).key_id));
}

/** The common case, without the write lock: undefined when there is something to make, to settle or to refuse. */
function openUnlocked(database: StoreDatabase, given: MasterKey | undefined): Keyring | undefined {
  if (database.schemaVersion() !== MIGRATIONS.length) return undefined;
  const row = readRow(database);
  const key = given ?? readKeyFile(database.directory.keyFile);
  return key?.id === row.key_id ? derive(row, unwrap(row, key, database.directory)) : undefined;
}

function createKeyring(database: StoreDatabase, given: MasterKey | undefined): Keyring {
  const masterKey = given ?? readKeyFile(database.directory.keyFile) ?? createKeyFile(database.directory);
  const dataKey = randomBytes(KEY_BYTES);
  const storeId = randomUUID();
  const row: KeyringRow = {
    store_id: storeId,
    key_id: masterKey.id,
    wrapped_data_key: seal(masterKey.bytes, wrapContext(storeId), dataKey),
  };
  database.migrate();
  database
    .statement("INSERT INTO keyring (one, store_id, key_id, wrapped_data_key) VALUES (1, ?, ?, ?)")
    .run(row.store_id, row.key_id, row.wrapped_data_key);
  return derive(row, dataKey);
}

function createKeyFile(directory: StoreDirectory): MasterKey {
  const key = createMasterKey();
  writeNextKey(directory, key);
  promoteNextKey(directory);
  return key;
}

/** The key of that id, from the key file or from where a rotation that was cut off left it; it is the key file afterwards. */
function settleKeyFile(directory: StoreDirectory, keyId: string): MasterKey {
  const current = readKeyFile(directory.keyFile);
  if (current?.id === keyId) return current;
  const next = readKeyFile(directory.nextKeyFile);
  if (next?.id === keyId) {
    promoteNextKey(directory);
    return next;
  }
  throw current ? wrongKey(`The key in ${directory.keyFile}`, directory) : missingKey(directory);
}

function readRow(database: StoreDatabase): KeyringRow {
  const row = database.statement("SELECT store_id, key_id, wrapped_data_key FROM keyring").get();
  if (!row) {
    throw new SecretsError("store_damaged", `${database.directory.databaseFile} has no data key. Restore a backup.`);
  }
  // The table is STRICT: SQLite keeps the columns to these types.
  return row as unknown as KeyringRow;
}

function unwrap(row: KeyringRow, key: MasterKey, directory: StoreDirectory): Uint8Array {
  if (key.id !== row.key_id) throw wrongKey("The master key that was passed in", directory);
  const dataKey = unseal(key.bytes, wrapContext(row.store_id), row.wrapped_data_key);
  if (dataKey) return dataKey;
  throw new SecretsError("store_damaged", `The data key in ${directory.databaseFile} is damaged. Restore a backup.`);
}

function derive(row: KeyringRow, dataKey: Uint8Array): Keyring {
  const subkey = (purpose: string) => new Uint8Array(hkdfSync("sha256", dataKey, row.store_id, purpose, KEY_BYTES));
  return { storeId: row.store_id, valueKey: subkey("values"), pageTokenKey: subkey("page tokens") };
}

const wrapContext = (storeId: string) => `data key of ${storeId}`;

const wrongKey = (which: string, directory: StoreDirectory) =>
  new SecretsError(
    "store_key_wrong",
    `${which} does not open ${directory.databaseFile}. Use the key that the store was last written with; nothing was changed.`,
  );

const missingKey = (directory: StoreDirectory) =>
  new SecretsError(
    "store_key_missing",
    `${directory.databaseFile} needs its master key: put ${directory.keyFile} back, or set FLYTE_SECRETS_MASTER_KEY. Nothing was changed.`,
  );
