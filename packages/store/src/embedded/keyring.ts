import { hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import type { StoreDatabase } from "./database.ts";
import { databaseName, keptKeyFile, type StoreDirectory } from "./directory.ts";
import {
  createMasterKey,
  type MasterKey,
  promoteNextKey,
  readKeyFile,
  readNextKey,
  writeNextKey,
} from "./master-key.ts";
import { BOUND_ROWS_VERSION, MIGRATIONS } from "./schema.ts";
import { KEY_BYTES, seal, unseal } from "./seal.ts";
import { resealValues, sealValue, unsealUnboundValue, unsealValue } from "./sealed-values.ts";
import type { SealedRow } from "./secret-table.ts";

/** The keys of an open store, all derived from its one data key. */
export interface Keyring {
  /** Random, made with the store, kept by its backups. */
  readonly storeId: string;
  readonly valueKey: Uint8Array;
  readonly pageTokenKey: Uint8Array;
  readonly backupKey: Uint8Array;
  /** Which data key since the store was made. */
  readonly generation: number;
}

/** The one row of the `keyring` table: the data key, wrapped by the master key of that id. */
interface KeyringRow {
  readonly store_id: string;
  readonly key_id: string;
  readonly wrapped_data_key: Uint8Array;
}

/**
 * Opens the store's keys with the given master key, or with that of the key file. An empty database becomes a store,
 * with a new key file if there is none. If it throws `store_key_missing` or `store_key_wrong`, nothing was changed.
 */
export async function openKeyring(database: StoreDatabase, given: MasterKey | undefined): Promise<Keyring> {
  const opened = await database.read(() => openUnlocked(database, given));
  if (opened) return opened;
  return await database.write(() => {
    const version = database.schemaVersion();
    if (version === 0) return createKeyring(database, given);
    database.assertSchema();
    const row = readRow(database);
    const dataKey = unwrap(row, given ?? completeKeyFile(database.directory, row.key_id), database.directory);
    database.migrate();
    const keyring = derive(database, row, dataKey);
    if (version < BOUND_ROWS_VERSION) {
      const key = keyring.valueKey;
      const open = (row: SealedRow) => unsealUnboundValue(key, row);
      const count = resealValues(database, { open, seal: (row, plain) => sealValue(key, row, plain) });
      database.statement("UPDATE data_key SET further_seals = ?").run(count);
    }
    return keyring;
  });
}

/**
 * The current keys, after another process has changed them. Inside a transaction or a read. Throws as
 * {@link openKeyring} does.
 */
export function reopenKeyring(database: StoreDatabase, given: MasterKey | undefined): Keyring {
  const row = readRow(database);
  return derive(database, row, unwrap(row, given ?? findKeyFile(database.directory, row.key_id), database.directory));
}

/** Id of the master key that opens the store. */
export async function readKeyId(database: StoreDatabase): Promise<string> {
  return (await database.read(() => readRow(database))).key_id;
}

/**
 * Wraps the data key of a backup with the key of the key file, if a former key that is kept beside that file opens it.
 */
export async function takeKeptKey(database: StoreDatabase, given: MasterKey | undefined): Promise<void> {
  const key_id = await readKeyId(database);
  const present = readKeyFile(database.directory.keyFile);
  if (given || !present || present.id === key_id) return;
  const kept = readKeyFile(keptKeyFile(database.directory, key_id));
  if (kept?.id === key_id) await rewrapDataKey(database, present, kept);
}

/** Seals all values under a new data key. Processes that have the store open load it at their next read or write. */
export async function replaceDataKey(database: StoreDatabase, given: MasterKey | undefined): Promise<void> {
  await openKeyring(database, given);
  await database.write(() => {
    const row = readRow(database);
    const masterKey = given ?? completeKeyFile(database.directory, row.key_id);
    const old = derive(database, row, unwrap(row, masterKey, database.directory));
    const dataKey = randomBytes(KEY_BYTES);
    database.statement("UPDATE keyring SET wrapped_data_key = ?").run(wrap(masterKey, row.store_id, dataKey));
    database.statement("UPDATE data_key SET generation = generation + 1").run();
    const next = derive(database, row, dataKey);
    const open = (row: SealedRow) => unsealValue(old.valueKey, row);
    const count = resealValues(database, { open, seal: (row, plain) => sealValue(next.valueKey, row, plain) });
    database
      .statement("UPDATE data_key SET further_seals = further_seals - ? + ?")
      .run(readDataKeyState(database).seals, count);
  });
  // Values sealed under the old key must not stay in the write-ahead log. A concurrent reader can delay that.
  await database.read(() => database.checkpoint());
}

/**
 * Wraps the data key with `next` instead of the present master key, and returns the id of that one. If the key is in
 * the key file (`given` is undefined), the new key lies beside the old one until the database names it. So one of the
 * two opens the store at any time, and after a crash the next process that opens it moves the new key file into place.
 */
export async function rewrapDataKey(database: StoreDatabase, next: MasterKey, given?: MasterKey): Promise<string> {
  const former = await database.write(() => {
    const row = readRow(database);
    const dataKey = unwrap(row, given ?? completeKeyFile(database.directory, row.key_id), database.directory);
    if (!given) writeNextKey(database.directory, next);
    database
      .statement("UPDATE keyring SET key_id = ?, wrapped_data_key = ?")
      .run(next.id, wrap(next, row.store_id, dataKey));
    return row.key_id;
  });
  // A second transaction, since the database must name the new key before the old one goes.
  if (!given) await database.write(() => completeKeyFile(database.directory, readRow(database).key_id));
  return former;
}

/** The common case, without the write lock. Undefined if something has to be created, completed or refused. */
function openUnlocked(database: StoreDatabase, given: MasterKey | undefined): Keyring | undefined {
  if (database.schemaVersion() !== MIGRATIONS.length) return undefined;
  database.assertSchema();
  const row = readRow(database);
  const key = given ?? readKeyFile(database.directory.keyFile);
  return key?.id === row.key_id ? derive(database, row, unwrap(row, key, database.directory)) : undefined;
}

function createKeyring(database: StoreDatabase, given: MasterKey | undefined): Keyring {
  const masterKey = given ?? readKeyFile(database.directory.keyFile) ?? createKeyFile(database.directory);
  const dataKey = randomBytes(KEY_BYTES);
  const storeId = randomUUID();
  const row: KeyringRow = {
    store_id: storeId,
    key_id: masterKey.id,
    wrapped_data_key: wrap(masterKey, storeId, dataKey),
  };
  database.migrate();
  database
    .statement("INSERT INTO keyring (one, store_id, key_id, wrapped_data_key) VALUES (1, ?, ?, ?)")
    .run(row.store_id, row.key_id, row.wrapped_data_key);
  return derive(database, row, dataKey);
}

function createKeyFile(directory: StoreDirectory): MasterKey {
  const key = createMasterKey();
  writeNextKey(directory, key);
  promoteNextKey(directory);
  return key;
}

/**
 * The key of that id, from the key file or from where an interrupted rotation left it; afterwards it is in the key
 * file.
 */
function completeKeyFile(directory: StoreDirectory, keyId: string): MasterKey {
  const current = readKeyFile(directory.keyFile);
  if (current?.id === keyId) return current;
  const next = readNextKey(directory);
  if (next?.id === keyId) {
    promoteNextKey(directory);
    return next;
  }
  throw current ? wrongKey(directory, keyId, `${directory.keyFile} is ${current.id}`) : missingKey(directory, keyId);
}

/** As {@link completeKeyFile} without a change; also finds a former key that is kept. */
function findKeyFile(directory: StoreDirectory, keyId: string): MasterKey {
  const current = readKeyFile(directory.keyFile);
  if (current?.id === keyId) return current;
  const found = [readNextKey(directory), readKeyFile(keptKeyFile(directory, keyId))].find((key) => key?.id === keyId);
  if (found) return found;
  throw current ? wrongKey(directory, keyId, `${directory.keyFile} is ${current.id}`) : missingKey(directory, keyId);
}

function readRow(database: StoreDatabase): KeyringRow {
  const row = database.statement("SELECT store_id, key_id, wrapped_data_key FROM keyring").get();
  if (!row) {
    throw new SecretsError(
      "store_damaged",
      `${databaseName(database.directory)} has no data key. Restore an intact backup.`,
    );
  }
  // It becomes a part of file names and messages.
  if (!/^[0-9a-f]{16}$/.test(String(row.key_id))) {
    throw new SecretsError(
      "store_damaged",
      `${databaseName(database.directory)} names no master key. Restore an intact backup.`,
    );
  }
  // The table is STRICT: SQLite keeps the columns to these types.
  return row as unknown as KeyringRow;
}

function unwrap(row: KeyringRow, key: MasterKey, directory: StoreDirectory): Uint8Array {
  if (key.id !== row.key_id) throw wrongKey(directory, row.key_id, `FLYTE_SECRETS_MASTER_KEY is ${key.id}`);
  const dataKey = unseal(key.bytes, wrapContext(row.store_id), row.wrapped_data_key);
  if (dataKey) return dataKey;
  throw new SecretsError(
    "store_damaged",
    `The data key in ${databaseName(directory)} is damaged. Restore an intact backup.`,
  );
}

function derive(database: StoreDatabase, row: KeyringRow, dataKey: Uint8Array): Keyring {
  const subkey = (purpose: string) => new Uint8Array(hkdfSync("sha256", dataKey, row.store_id, purpose, KEY_BYTES));
  return {
    storeId: row.store_id,
    valueKey: subkey("values"),
    pageTokenKey: subkey("page tokens"),
    backupKey: subkey("backups"),
    // A store of schema 1 never changes it.
    generation: database.schemaVersion() < BOUND_ROWS_VERSION ? 1 : readDataKeyState(database).generation,
  };
}

/** The state of the data key, which any process may change. */
export interface DataKeyState {
  readonly generation: number;
  /** Number of values sealed under it. */
  readonly seals: number;
}

export function readDataKeyState(database: StoreDatabase): DataKeyState {
  const row = database
    .statement(
      `SELECT generation, further_seals + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) AS seals
       FROM data_key`,
    )
    .get();
  return { generation: Number(row?.generation), seals: Number(row?.seals) };
}

const wrap = (masterKey: MasterKey, storeId: string, dataKey: Uint8Array) =>
  seal(masterKey.bytes, wrapContext(storeId), dataKey);

const wrapContext = (storeId: string) => `data key of ${storeId}`;

const wrongKey = (directory: StoreDirectory, keyId: string, found: string) =>
  new SecretsError(
    "store_key_wrong",
    `The master key in ${found}, and ${databaseName(directory)} was last written under ${keyId}. ` +
      "Put that one in its place; nothing was changed.",
  );

const missingKey = (directory: StoreDirectory, keyId: string) =>
  new SecretsError(
    "store_key_missing",
    `${databaseName(directory)} needs its master key ${keyId}: put ${directory.keyFile} back, or set ` +
      "FLYTE_SECRETS_MASTER_KEY. Nothing was changed.",
  );
