import { type BigIntStats, statfsSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { hasSystemCode, SecretsError } from "@flyte-secrets/core";
import { damaged, isBusy, isUnreadable, throwIfAborted, toStoreError } from "../errors.ts";
import { makePrivateFile } from "../files/private-files.ts";
import { MAX_VALUE_BYTES } from "../value-limits.ts";
import { databaseName, type StoreDirectory } from "./directory.ts";
import { ALL_OBJECTS, APPLICATION_ID, MIGRATIONS, objectsOfVersion } from "./schema.ts";

/**
 * How long SQLite itself waits for a lock. This blocks the event loop, so {@link StoreDatabase} does the longer wait.
 */
const BLOCKING_WAIT_MS = 20;
export const RETRY_MS = 10;

/**
 * Bytes that writes leave free, so that any secret can still be deleted: a delete overwrites the value, and this is
 * written to the write-ahead log first.
 */
const RESERVED_BYTES = MAX_VALUE_BYTES + 256 * 1024;

/** Default limit of the wait for another process that has the store locked. */
export const BUSY_TIMEOUT_MS = 5_000;

/**
 * One connection to a store's database: durable (WAL, `synchronous=FULL`) and shared with other processes. It throws
 * only SecretsErrors. Work is synchronous, 6 to 30 µs for a read; only the wait for another process's lock yields to
 * the event loop.
 */
export class StoreDatabase {
  readonly directory: StoreDirectory;
  readonly #connection: DatabaseSync;
  readonly #busyTimeoutMs: number;
  readonly #statements = new Map<string, StatementSync>();
  readonly #dataVersion: StatementSync;
  readonly #file: BigIntStats;
  /** Transactions of this connection that may have changed something. */
  #ownChanges = 0;

  private constructor(directory: StoreDirectory, connection: DatabaseSync, busyTimeoutMs: number) {
    this.directory = directory;
    this.#connection = connection;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#dataVersion = connection.prepare("PRAGMA data_version");
    // Half as long as making an object.
    this.#dataVersion.setReturnArrays(true);
    this.#file = statSync(directory.databaseFile, { bigint: true });
  }

  /** Opens the database file, which is created empty (0600) if it is missing. The schema is left as it is. */
  static async open(directory: StoreDirectory, busyTimeoutMs = BUSY_TIMEOUT_MS): Promise<StoreDatabase> {
    try {
      makePrivateFile(directory.databaseFile);
    } catch (error) {
      throw toStoreError(error, directory.path);
    }
    return await retryWhileBusy(() => StoreDatabase.#connect(directory, busyTimeoutMs), {
      path: databaseName(directory),
      timeoutMs: busyTimeoutMs,
    });
  }

  static #connect(directory: StoreDirectory, busyTimeoutMs: number): StoreDatabase {
    const connection = new DatabaseSync(directory.databaseFile, { timeout: BLOCKING_WAIT_MS });
    try {
      connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
      return new StoreDatabase(directory, connection, busyTimeoutMs);
    } catch (error) {
      connection.close();
      throw isUnreadable(error) ? damaged(databaseName(directory), error) : error;
    }
  }

  /** A prepared statement, which is cached. */
  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs `work`, which only reads; again while another process has the database locked. */
  read<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    return this.#retry(work, signal);
  }

  /** Runs `work` as one transaction: all of it is durable when this returns, or nothing of it when this throws. */
  async write<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    return await this.#retry(() => this.transact(work), signal);
  }

  /** {@link write} without waiting for another process, and with SQLite's own errors. */
  transact<T>(work: () => T): T {
    this.#connection.exec("BEGIN IMMEDIATE");
    try {
      // Under the lock, which a process that replaces the file also needs: no write is acknowledged into a deleted
      // file.
      this.assertInPlace();
      const result = work();
      this.#connection.exec("COMMIT");
      return result;
    } finally {
      this.#ownChanges += 1;
      // A failed COMMIT may leave the transaction open or may have ended it.
      if (this.#connection.isTransaction) this.#connection.exec("ROLLBACK");
    }
  }

  /**
   * Whether the disk has room for a write of so many bytes and for a delete after it. A write needs twice its size, in
   * the write-ahead log and in the database, and the log must have room to be moved into the database: while it can't
   * be, nothing can be deleted either.
   */
  hasRoom(bytes: number): boolean {
    if (bytes === 0 || this.#freeBytes() >= 2 * bytes + RESERVED_BYTES) return true;
    this.checkpoint();
    return this.#freeBytes() >= 2 * bytes + RESERVED_BYTES;
  }

  /** Moves the write-ahead log into the database and empties it, as far as no other process is reading from it. */
  checkpoint(): void {
    this.statement("PRAGMA wal_checkpoint(TRUNCATE)").all();
  }

  /** Bytes that are free once the write-ahead log has been moved into the database. */
  #freeBytes(): number {
    const { bavail, bsize, blocks } = statfsSync(this.directory.path);
    // Some network file systems have no such numbers.
    if (blocks === 0) return Number.POSITIVE_INFINITY;
    const log = statSync(`${this.directory.databaseFile}-wal`, { throwIfNoEntry: false });
    return bavail * bsize - (log?.size ?? 0);
  }

  /** Whether a transaction of this connection is open. */
  isInTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  /**
   * The schema's version; 0 for an empty database. `store_damaged` for another program's file, `store_too_new` for a
   * newer version.
   */
  schemaVersion(): number {
    const version = this.#pragma("user_version");
    const application = this.#pragma("application_id");
    if (
      application !== APPLICATION_ID &&
      (version !== 0 || application !== 0 || this.#pragma("schema_version") !== 0)
    ) {
      throw new SecretsError(
        "store_damaged",
        `${databaseName(this.directory)} is a database, but not a store of flyte-secrets.`,
      );
    }
    if (version > MIGRATIONS.length) {
      throw new SecretsError(
        "store_too_new",
        `${databaseName(this.directory)} has schema ${version}, this version knows ${MIGRATIONS.length}. Upgrade; ` +
          "nothing was changed.",
      );
    }
    return version;
  }

  /** Migrates the schema to the newest version. Inside {@link write} only. */
  migrate(): void {
    for (const migration of MIGRATIONS.slice(this.schemaVersion())) this.#connection.exec(migration);
    this.#connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}`);
  }

  /** A number that changes when another connection changes the database; takes 3 µs. */
  dataVersion(): number {
    const [version] = Object.values(this.#dataVersion.get() ?? {});
    return Number(version);
  }

  /** A number that grows when any connection changes the database, this one or another. Outside transactions only. */
  stateVersion(): number {
    return this.dataVersion() + this.#ownChanges;
  }

  /** Throws `store_unavailable` if the path no longer leads to the file that is open. */
  assertInPlace(): void {
    let found: BigIntStats | undefined;
    try {
      found = statSync(this.directory.databaseFile, { bigint: true });
    } catch (error) {
      if (!hasSystemCode(error, "ENOENT")) throw error;
    }
    if (found?.ino === this.#file.ino && found.dev === this.#file.dev) return;
    throw new SecretsError(
      "store_unavailable",
      `${this.directory.databaseFile} was removed or replaced while it was open. Start this process again.`,
    );
  }

  /** Reads the whole database; `store_damaged` if its structure is broken. Values are not opened. */
  assertIntact(): void {
    const finding = this.statement("PRAGMA integrity_check(1)").get()?.integrity_check;
    if (finding === "ok") return;
    throw new SecretsError("store_damaged", `${databaseName(this.directory)} is damaged: ${String(finding)}`);
  }

  /**
   * Throws `store_damaged` unless the database has exactly the tables that the migrations up to its version create: a
   * trigger or a view that somebody added would affect our statements.
   */
  assertSchema(): void {
    const found = this.statement(ALL_OBJECTS).all();
    const expected = objectsOfVersion(this.schemaVersion());
    const known = new Set(expected.map((object) => JSON.stringify(object)));
    const strange = found.find((object) => !known.has(JSON.stringify(object)));
    if (strange === undefined && found.length === expected.length) return;
    const what = strange
      ? `the ${String(strange.type)} ${JSON.stringify(strange.name)} is not one of ours`
      : "a table of ours is missing";
    throw new SecretsError(
      "store_damaged",
      `${databaseName(this.directory)} is no store as this program makes it: ${what}. Restore an intact backup.`,
    );
  }

  /** Closes the connection; a second call does nothing. */
  close(): void {
    if (this.#connection.isOpen) this.#connection.close();
  }

  #retry<T>(work: () => T, signal: AbortSignal | undefined): Promise<T> {
    return retryWhileBusy(work, { path: databaseName(this.directory), timeoutMs: this.#busyTimeoutMs, signal });
  }

  #pragma(name: string): number {
    return Number(this.statement(`PRAGMA ${name}`).get()?.[name]);
  }
}

interface RetryOptions {
  readonly path: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

async function retryWhileBusy<T>(work: () => T, { path, timeoutMs, signal }: RetryOptions): Promise<T> {
  let end: number | undefined;
  for (;;) {
    throwIfAborted(signal);
    try {
      return work();
    } catch (error) {
      end ??= performance.now() + timeoutMs;
      if (!isBusy(error) || performance.now() >= end) throw toStoreError(error, path);
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => throwIfAborted(signal));
  }
}
