import {
  type CallOptions,
  encodeSecretId,
  type ListPage,
  type ListRequest,
  type SecretId,
  type SecretInput,
  type SecretRecord,
  type SecretStore,
  SecretsError,
  SecretValue,
  type StoreChange,
} from "@flyte-secrets/core";
import type { Logger } from "pino";
import { toStoreError } from "../store-error.ts";
import { assertValueFits, MAX_ID_LENGTH, MAX_VALUE_BYTES } from "../value-limits.ts";
import type { BoundRow } from "./bound-value.ts";
import { sealValue, unsealValue } from "./bound-value.ts";
import { ChangeFeed } from "./change-feed.ts";
import { type Keyring, openKeyring, readDataKeyState, reopenKeyring } from "./keyring.ts";
import { type MasterKey, toMasterKey } from "./master-key.ts";
import { decodePageToken, encodePageToken } from "./page-token.ts";
import { MAX_SEALS } from "./seal.ts";
import { type SecretRow, SecretTable } from "./secret-table.ts";
import { SharedTransactions } from "./shared-transactions.ts";
import { BUSY_TIMEOUT_MS, StoreDatabase } from "./store-database.ts";
import { prepareStoreDirectory } from "./store-directory.ts";

export interface EmbeddedStoreOptions {
  /** The data directory, made (0700) where it is missing. */
  readonly directory: string;
  /** 32 bytes. Absent: the key of `master.key` in the directory, made with the store. */
  readonly masterKey?: Uint8Array;
  /** The name that this store goes by in the presence of a secret. Default `embedded`. */
  readonly clusterName?: string;
  /** How long a call waits for another process that holds the store, before it is `store_unavailable`. Default 5000. */
  readonly busyTimeoutMs?: number;
  readonly log?: Logger;
}

/** The store on one machine, and what only its operator does. */
export interface EmbeddedStore extends SecretStore {
  /** Marks a secret as a system secret, or as none. `not_found` when it isn't there. */
  setSystem(id: SecretId, system: boolean, options?: CallOptions): Promise<SecretRecord>;
  /**
   * Gives `to` the value and type of `from`, and with `remove` takes `from` away, all in one transaction: whatever happens,
   * the secret is at one of the two. `from` goes only once its copy was read back. `not_found` for a `from` that isn't
   * there, or is a system secret; `already_exists` for a `to` that is there, unless `overwrite` is set; `call_refused` for
   * one of another type.
   */
  copy(from: SecretId, to: SecretId, options?: CopyOptions): Promise<"created" | "replaced">;
}

export interface CopyOptions extends Pick<CallOptions, "signal"> {
  readonly overwrite?: boolean;
  readonly remove?: boolean;
}

/**
 * Opens the embedded store: one SQLite database in a data directory that several processes may have open at once, values
 * sealed. Throws `unsafe_permissions`, `store_key_missing`, `store_key_wrong`, `store_damaged`, `store_too_new`,
 * `store_read_only`, `store_full` or `store_unavailable`; then nothing was changed.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const masterKey = options.masterKey && toMasterKey(options.masterKey);
  const { busyTimeoutMs = BUSY_TIMEOUT_MS, clusterName = "embedded", log } = options;
  const database = await StoreDatabase.open(prepareStoreDirectory(options.directory), busyTimeoutMs);
  try {
    const keyring = await openKeyring(database, masterKey);
    const feed = new ChangeFeed(database, log);
    const writes = new SharedTransactions(database, busyTimeoutMs);
    return new SqliteStore(database, { keyring, masterKey, clusterName, feed, writes, log });
  } catch (error) {
    database.close();
    throw error;
  }
}

interface SqliteStoreParts {
  readonly keyring: Keyring;
  /** The one that was passed in. */
  readonly masterKey: MasterKey | undefined;
  readonly clusterName: string;
  readonly feed: ChangeFeed;
  readonly writes: SharedTransactions;
  readonly log: Logger | undefined;
}

class SqliteStore implements EmbeddedStore {
  readonly name = "Embedded";
  readonly maxValueBytes = MAX_VALUE_BYTES;
  readonly maxIdLength = MAX_ID_LENGTH;
  readonly #database: StoreDatabase;
  readonly #secrets: SecretTable;
  #keyring: Keyring;
  readonly #masterKey: MasterKey | undefined;
  readonly #clusterName: string;
  readonly #feed: ChangeFeed;
  readonly #writes: SharedTransactions;
  readonly #log: Logger | undefined;

  constructor(database: StoreDatabase, { keyring, masterKey, clusterName, feed, writes, log }: SqliteStoreParts) {
    this.#database = database;
    this.#secrets = new SecretTable(database);
    this.#keyring = keyring;
    this.#masterKey = masterKey;
    this.#clusterName = clusterName;
    this.#feed = feed;
    this.#writes = writes;
    this.#log = log;
  }

  async create(id: SecretId, input: SecretInput, options?: CallOptions): Promise<SecretRecord> {
    assertValueFits(input.value);
    return await this.#write("put", id, options, () => {
      if (this.#secrets.find(id)) throw alreadyExists(id);
      return this.#toRecord(this.#insert(id, input));
    });
  }

  async update(id: SecretId, value: SecretValue, options?: CallOptions): Promise<SecretRecord> {
    assertValueFits(value);
    return await this.#write("put", id, options, () => {
      const row = this.#secrets.find(id);
      if (!row || row.system) throw notFound(id);
      return this.#toRecord(this.#replaceValue(row, value));
    });
  }

  async copy(from: SecretId, to: SecretId, { overwrite, remove, signal }: CopyOptions = {}) {
    const outcome = await this.#writes.write(() => {
      const source = this.#secrets.find(from);
      const value = source && this.#open(from);
      if (!source || !value || source.system) throw notFound(from);
      const there = this.#secrets.find(to);
      if (there && (!overwrite || there.system)) throw alreadyExists(to);
      if (there && there.type !== source.type) throw otherType(to);
      if (there) this.#replaceValue(there, value);
      else this.#insert(to, { value, type: source.type });
      this.#feed.append("put", to);
      if (remove) {
        if (!this.#open(to)?.equals(value)) throw damagedValue(to);
        this.#secrets.remove(source);
        this.#feed.append("delete", from);
      }
      return there ? ("replaced" as const) : ("created" as const);
    }, signal);
    this.#feed.drain();
    return outcome;
  }

  async get(id: SecretId, options?: CallOptions): Promise<SecretRecord | undefined> {
    const row = await this.#database.read(() => this.#secrets.find(id), options?.signal);
    return row && isVisible(row, options) ? this.#toRecord(row) : undefined;
  }

  async delete(id: SecretId, options?: CallOptions): Promise<void> {
    await this.#write("delete", id, options, () => {
      const row = this.#secrets.find(id);
      if (!row || !isVisible(row, options)) throw notFound(id);
      this.#secrets.remove(row);
    });
  }

  async setSystem(id: SecretId, system: boolean, options?: CallOptions): Promise<SecretRecord> {
    return await this.#write("put", id, options, () => {
      const row = this.#secrets.find(id);
      if (!row) throw notFound(id);
      const value = this.#open(id);
      const next = { ...row, system: system ? 1 : 0, version: row.version + 1 } as const;
      return this.#toRecord(value ? this.#secrets.replace(next, this.#seal(next, value)) : row);
    });
  }

  async list(request: ListRequest, options?: CallOptions): Promise<ListPage> {
    const token = request.token || request.clusterTokens[this.#clusterName];
    const after = token ? decodePageToken(this.#keyring, request, token) : undefined;
    // One more than asked for tells whether this is the last page.
    const list = () => this.#secrets.list(request, after, request.limit + 1);
    const rows = await this.#database.read(list, options?.signal);
    const page = rows.slice(0, request.limit);
    const last = page.at(-1);
    const next = last && rows.length > page.length ? encodePageToken(this.#keyring, request, last) : "";
    return {
      entries: page.map((row) => this.#toRecord(row)),
      token: next,
      clusterTokens: next ? { [this.#clusterName]: next } : {},
    };
  }

  async read(id: SecretId, options?: CallOptions): Promise<SecretValue | undefined> {
    return await this.#database.read(() => this.#open(id), options?.signal);
  }

  watch(listener: (change: StoreChange) => void): () => void {
    try {
      return this.#feed.watch(listener);
    } catch (error) {
      throw toStoreError(error, this.#database.directory.databaseFile);
    }
  }

  async check(options?: CallOptions): Promise<void> {
    await this.#database.read(() => {
      this.#database.assertInPlace();
      this.#database.statement("SELECT 1 FROM keyring").get();
    }, options?.signal);
  }

  async close(): Promise<void> {
    await this.#writes.settled();
    this.#feed.close();
    this.#database.close();
  }

  /** One durable change, of which watchers in this process know when it returns. */
  async #write<T>(kind: "put" | "delete", id: SecretId, options: CallOptions | undefined, change: () => T): Promise<T> {
    const result = await this.#writes.write(() => {
      const changed = change();
      this.#feed.append(kind, id);
      return changed;
    }, options?.signal);
    this.#feed.drain();
    return result;
  }

  #insert(id: SecretId, { value, type }: SecretInput): SecretRow {
    const now = Date.now();
    const record = { ...id, type, system: 0, created_at_ms: now, updated_at_ms: now, version: 1 } as const;
    return this.#secrets.insert(record, this.#seal(record, value));
  }

  #replaceValue(row: SecretRow, value: SecretValue): SecretRow {
    const next = { ...row, updated_at_ms: Date.now(), version: row.version + 1 };
    return this.#secrets.replace(next, this.#seal(next, value));
  }

  /** The value of a secret, undefined when it isn't there. `store_damaged` when it doesn't open. */
  #open(id: SecretId): SecretValue | undefined {
    const row = this.#secrets.findSealed(id);
    if (!row) return undefined;
    let bytes = unsealValue(this.#keyring.valueKey, row);
    if (!bytes && this.#renewKeys()) {
      const again = this.#secrets.findSealed(id);
      bytes = again && unsealValue(this.#keyring.valueKey, again);
    }
    if (bytes) return SecretValue.fromBytes(bytes);
    throw damagedValue(id);
  }

  /** Inside a transaction. */
  #seal(row: BoundRow, value: SecretValue): Uint8Array {
    const { generation, seals } = readDataKeyState(this.#database);
    if (generation !== this.#keyring.generation) this.#renewKeys();
    if (seals >= MAX_SEALS) throw wornOut();
    if (seals === MAX_SEALS / 2) {
      this.#log?.warn("The data key has sealed half of the values that it may: run flyte-secrets keys rotate --data.");
    }
    return sealValue(this.#keyring.valueKey, row, value.revealBytes());
  }

  /** Takes the keys that another process has put in place; false when they are the ones that are known. */
  #renewKeys(): boolean {
    const found = reopenKeyring(this.#database, this.#masterKey);
    const isNew = found.generation !== this.#keyring.generation;
    this.#keyring = found;
    return isNew;
  }

  #toRecord(row: SecretRow): SecretRecord {
    return {
      id: { org: row.org, domain: row.domain, project: row.project, name: row.name },
      type: row.type,
      createdAt: new Date(row.created_at_ms),
      ...(row.updated_at_ms !== null && { updatedAt: new Date(row.updated_at_ms) }),
      system: row.system === 1,
      clusters: [{ cluster: this.#clusterName, presence: "present" }],
    };
  }
}

const isVisible = (row: SecretRow, options: CallOptions | undefined) =>
  row.system === 0 || options?.includeSystem === true;

const wornOut = () =>
  new SecretsError(
    "call_refused",
    "The store's data key has sealed as many values as it may (2^32). Run: flyte-secrets keys rotate --data",
  );

const notFound = (id: SecretId) => new SecretsError("not_found", `secret ${id.name} not found`);

const alreadyExists = (id: SecretId) => new SecretsError("already_exists", `secret ${id.name} already exists`);

const otherType = (id: SecretId) =>
  new SecretsError("call_refused", `secret ${id.name} is there with another type; delete it first`);

const damagedValue = (id: SecretId) =>
  new SecretsError(
    "store_damaged",
    `The value of ${encodeSecretId(id)} fails its check. Write it again, or restore a backup.`,
  );
