import {
  type ListPage,
  type ListRequest,
  type SecretContent,
  type SecretId,
  type SecretRecord,
  type SecretStore,
  SecretsError,
  type SecretValue,
  type StoreCallOptions,
  type StoreChange,
} from "@flyte-secrets/core";
import type { Logger } from "pino";
import { toStoreError } from "../errors.ts";
import { assertValueFits, MAX_ID_LENGTH, MAX_VALUE_BYTES } from "../value-limits.ts";
import { ChangeFeed } from "./change-feed.ts";
import { BUSY_TIMEOUT_MS, StoreDatabase } from "./database.ts";
import { prepareStoreDirectory } from "./directory.ts";
import { openKeyring } from "./keyring.ts";
import { toMasterKey } from "./master-key.ts";
import { decodePageToken, encodePageToken } from "./page-token.ts";
import { RecordCache } from "./record-cache.ts";
import { damagedValue, SealedSecrets } from "./sealed-secrets.ts";
import type { SecretRow } from "./secret-table.ts";
import { SharedTransactions, type SharedWriteOptions } from "./shared-transactions.ts";

export interface EmbeddedStoreOptions {
  /** The data directory, created (0700) if it is missing. */
  readonly directory: string;
  /** 32 bytes. Default: the key in `master.key` in the directory, which is created with the store. */
  readonly masterKey?: Uint8Array;
  /** The name of this store in the presence of a secret. Default `embedded`. */
  readonly clusterName?: string;
  /**
   * How long a call waits while another process has the store locked before it fails with `store_unavailable`. Default
   * 5000.
   */
  readonly busyTimeoutMs?: number;
  readonly log?: Logger;
}

/** The store on one machine, with the calls that only its operator makes. */
export interface EmbeddedStore extends SecretStore {
  /** Marks a secret as a system secret or not. `not_found` if there is no such secret. */
  setSystem(id: SecretId, system: boolean, options?: StoreCallOptions): Promise<SecretRecord>;
  /**
   * Copies value and type of `from` to `to`; with `remove`, `from` is deleted in the same transaction, after its copy
   * was read back, so that the secret always exists at one of the two. `not_found` if `from` does not exist or is a
   * system secret; `already_exists` if `to` exists, unless `overwrite` is set; `call_refused` if `to` is of another
   * type.
   */
  copy(from: SecretId, to: SecretId, options?: CopyOptions): Promise<"created" | "replaced">;
}

export interface CopyOptions extends Pick<StoreCallOptions, "signal"> {
  readonly overwrite?: boolean;
  readonly remove?: boolean;
}

/**
 * Opens the embedded store: one SQLite database in a data directory, with sealed values. Several processes may have it
 * open at the same time. Throws `unsafe_permissions`, `store_key_missing`, `store_key_wrong`, `store_damaged`,
 * `store_too_new`, `store_read_only`, `store_full` or `store_unavailable`; then nothing was changed.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const masterKey = options.masterKey && toMasterKey(options.masterKey);
  const { busyTimeoutMs = BUSY_TIMEOUT_MS, clusterName = "embedded", log } = options;
  const database = await StoreDatabase.open(prepareStoreDirectory(options.directory), busyTimeoutMs);
  try {
    const keyring = await openKeyring(database, masterKey);
    return new SqliteStore(database, {
      secrets: new SealedSecrets(database, { keyring, masterKey, log }),
      feed: new ChangeFeed(database, log),
      writes: new SharedTransactions(database, busyTimeoutMs),
      clusterName,
    });
  } catch (error) {
    database.close();
    throw error;
  }
}

interface SqliteStoreParts {
  readonly secrets: SealedSecrets;
  readonly feed: ChangeFeed;
  readonly writes: SharedTransactions;
  readonly clusterName: string;
}

class SqliteStore implements EmbeddedStore {
  readonly name = "Embedded";
  readonly maxValueBytes = MAX_VALUE_BYTES;
  readonly maxIdLength = MAX_ID_LENGTH;
  readonly #database: StoreDatabase;
  readonly #secrets: SealedSecrets;
  readonly #feed: ChangeFeed;
  readonly #writes: SharedTransactions;
  readonly #clusterName: string;
  readonly #records: RecordCache;

  constructor(database: StoreDatabase, { secrets, feed, writes, clusterName }: SqliteStoreParts) {
    this.#database = database;
    this.#secrets = secrets;
    this.#feed = feed;
    this.#writes = writes;
    this.#clusterName = clusterName;
    this.#records = new RecordCache(database);
  }

  async create(id: SecretId, input: SecretContent, options?: StoreCallOptions): Promise<SecretRecord> {
    assertValueFits(input.value);
    return await this.#put(id, { bytes: input.value.byteLength, signal: options?.signal }, () => {
      if (this.#secrets.find(id)) throw alreadyExists(id);
      return this.#secrets.insert(id, input);
    });
  }

  async update(id: SecretId, value: SecretValue, options?: StoreCallOptions): Promise<SecretRecord> {
    assertValueFits(value);
    return await this.#put(id, { bytes: value.byteLength, signal: options?.signal }, () => {
      const row = this.#secrets.find(id);
      if (!row || row.system) throw notFound(id);
      return this.#secrets.replaceValue(row, value);
    });
  }

  async copy(from: SecretId, to: SecretId, { overwrite, remove, signal }: CopyOptions = {}) {
    return await this.#write({ bytes: MAX_VALUE_BYTES, signal }, () => {
      const source = this.#secrets.find(from);
      const value = source && this.#secrets.read(from);
      if (!source || !value || source.system) throw notFound(from);
      const existing = this.#secrets.find(to);
      if (existing && (!overwrite || existing.system)) throw alreadyExists(to);
      if (existing && existing.type !== source.type) throw otherType(to);
      if (existing) this.#secrets.replaceValue(existing, value);
      else this.#secrets.insert(to, { value, type: source.type });
      this.#feed.append("put", to);
      if (remove) {
        if (!this.#secrets.read(to)?.equals(value)) throw damagedValue(to);
        this.#secrets.remove(source);
        this.#feed.append("delete", from);
      }
      return existing ? ("replaced" as const) : ("created" as const);
    });
  }

  async get(id: SecretId, options?: StoreCallOptions): Promise<SecretRecord | undefined> {
    const read = () => {
      const row = this.#secrets.find(id);
      return row && this.#toRecord(row);
    };
    const record = await this.#database.read(() => this.#records.find(id, read), options?.signal);
    return record && isVisible(record, options) ? record : undefined;
  }

  async delete(id: SecretId, options?: StoreCallOptions): Promise<void> {
    await this.#write({ bytes: 0, signal: options?.signal }, () => {
      const row = this.#secrets.find(id);
      if (!row || !isVisible(row, options)) throw notFound(id);
      this.#secrets.remove(row);
      this.#feed.append("delete", id);
    });
  }

  async setSystem(id: SecretId, system: boolean, options?: StoreCallOptions): Promise<SecretRecord> {
    return await this.#put(id, { bytes: MAX_VALUE_BYTES, signal: options?.signal }, () => {
      const row = this.#secrets.find(id);
      if (!row) throw notFound(id);
      return this.#secrets.markSystem(row, system);
    });
  }

  async list(request: ListRequest, options?: StoreCallOptions): Promise<ListPage> {
    const { keyring } = this.#secrets;
    const token = request.token || request.clusterTokens[this.#clusterName];
    const after = token ? decodePageToken(keyring, request, token) : undefined;
    // One row more than requested shows whether this is the last page.
    const list = () => this.#secrets.list(request, after, request.limit + 1);
    const rows = await this.#database.read(list, options?.signal);
    const page = rows.slice(0, request.limit);
    const last = page.at(-1);
    const next = last && rows.length > page.length ? encodePageToken(keyring, request, last) : "";
    return {
      entries: page.map((row) => this.#toRecord(row)),
      token: next,
      clusterTokens: next ? { [this.#clusterName]: next } : {},
    };
  }

  async read(id: SecretId, options?: StoreCallOptions): Promise<SecretValue | undefined> {
    return await this.#database.read(() => this.#secrets.read(id), options?.signal);
  }

  watch(listener: (change: StoreChange) => void): () => void {
    try {
      return this.#feed.watch(listener);
    } catch (error) {
      throw toStoreError(error, this.#database.directory.databaseFile);
    }
  }

  async check(options?: StoreCallOptions): Promise<void> {
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

  async #put(id: SecretId, options: SharedWriteOptions, change: () => SecretRow): Promise<SecretRecord> {
    return await this.#write(options, () => {
      const row = change();
      this.#feed.append("put", id);
      return this.#toRecord(row);
    });
  }

  /** One durable change. When it returns, the watchers in this process have received it. */
  async #write<T>(options: SharedWriteOptions, change: () => T): Promise<T> {
    const result = await this.#writes.write(change, options);
    this.#feed.drain();
    return result;
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

const isVisible = ({ system }: Pick<SecretRow | SecretRecord, "system">, options: StoreCallOptions | undefined) =>
  !system || options?.includeSystem === true;

const notFound = (id: SecretId) => new SecretsError("not_found", `secret ${id.name} not found`);

const alreadyExists = (id: SecretId) => new SecretsError("already_exists", `secret ${id.name} already exists`);

const otherType = (id: SecretId) =>
  new SecretsError("call_refused", `secret ${id.name} is there with another type; delete it first`);
