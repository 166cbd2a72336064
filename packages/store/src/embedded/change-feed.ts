import type { SecretId, StoreChange } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { StoreDatabase } from "./database.ts";

/** How often the writes of other processes are polled; a poll takes 3 µs. */
const POLL_MS = 50;

/** Changes kept for watchers that have fallen behind; a watcher that is further behind receives a `reset`. */
export const KEPT_CHANGES = 10_000;

const BATCH = 500;

interface ChangeRow extends SecretId {
  readonly sequence: number;
  readonly kind: "put" | "delete";
}

/**
 * Delivers each change of a store to watchers once and in order, whichever process made it. Writers log every change in
 * the transaction that makes it. The feed reads that log from its last position: at once after a write of this process
 * ({@link ChangeFeed.drain}), and by polling for those of others. Without watchers nothing is polled.
 */
export class ChangeFeed {
  readonly #database: StoreDatabase;
  readonly #log: Logger | undefined;
  readonly #listeners = new Set<(change: StoreChange) => void>();
  #timer: NodeJS.Timeout | undefined;
  #position = 0;
  /** The data version up to which the log was read; undefined when it must be read again. */
  #dataVersion: number | undefined;
  #draining = false;

  constructor(database: StoreDatabase, log?: Logger) {
    this.#database = database;
    this.#log = log;
  }

  /** Logs a change, inside the transaction that makes it. */
  append(kind: ChangeRow["kind"], id: SecretId): void {
    const { lastInsertRowid } = this.#database
      .statement("INSERT INTO changes (kind, org, domain, project, name) VALUES (?, ?, ?, ?, ?)")
      .run(kind, id.org, id.domain, id.project, id.name);
    this.#database.statement("DELETE FROM changes WHERE sequence <= ?").run(Number(lastInsertRowid) - KEPT_CHANGES);
  }

  /** Calls `listener` for every change after this call; returns the function that ends it. */
  watch(listener: (change: StoreChange) => void): () => void {
    if (this.#listeners.size === 0) this.#start();
    else this.drain();
    // A wrapper for each call, so that a function that is passed twice is called twice and removed one by one.
    const entry = (change: StoreChange) => listener(change);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.close();
    };
  }

  /**
   * Delivers new changes. Never throws: if the log cannot be read now, the next poll reads from the same position, and
   * a listener that throws does not affect the others.
   */
  drain(): void {
    // A listener that writes calls this again; the loop of the outer call then delivers its change after the present
    // one.
    if (this.#draining || this.#listeners.size === 0) return;
    this.#draining = true;
    try {
      const version = this.#database.dataVersion();
      for (let rows = this.#readNext(); rows.length > 0; rows = this.#readNext()) this.#deliver(rows);
      this.#dataVersion = version;
    } catch (error) {
      this.#dataVersion = undefined;
      this.#log?.warn({ err: error }, "The store's change feed could not be read; trying again.");
    } finally {
      this.#draining = false;
    }
  }

  /** Stops polling. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#listeners.clear();
  }

  #start(): void {
    this.#dataVersion = this.#database.dataVersion();
    this.#position = this.#newest();
    // A watch alone keeps no process alive.
    this.#timer = setInterval(() => this.#poll(), POLL_MS).unref();
  }

  #poll(): void {
    try {
      if (this.#database.dataVersion() === this.#dataVersion) return;
    } catch {
      // Then `drain` logs the reason.
    }
    this.drain();
  }

  #deliver(rows: readonly ChangeRow[]): void {
    if (rows[0]?.sequence !== this.#position + 1) {
      this.#position = this.#newest();
      this.#emit({ kind: "reset" });
      return;
    }
    for (const { sequence, kind, org, domain, project, name } of rows) {
      this.#position = sequence;
      this.#emit({ kind, id: { org, domain, project, name } });
    }
  }

  #readNext(): ChangeRow[] {
    const rows = this.#database
      .statement("SELECT * FROM changes WHERE sequence > ? ORDER BY sequence LIMIT ?")
      .all(this.#position, BATCH);
    // The table is STRICT: SQLite keeps the columns to these types.
    return rows as unknown as ChangeRow[];
  }

  #newest(): number {
    return Number(this.#database.statement("SELECT max(sequence) AS newest FROM changes").get()?.newest ?? 0);
  }

  #emit(change: StoreChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.#log?.error({ err: error }, "A watcher of the store failed.");
      }
    }
  }
}
