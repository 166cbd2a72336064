import type { SecretId, SecretRecord } from "@flyte-secrets/core";
import type { StoreDatabase } from "./database.ts";

/** Each takes about 500 bytes. */
const MAX_RECORDS = 10_000;

/**
 * Records that were read, kept until anything is written to the store, by this process or another. Finding one costs a
 * third of a query, since SQLite is only asked whether the database has changed.
 */
export class RecordCache {
  readonly #database: StoreDatabase;
  readonly #records = new Map<string, SecretRecord>();
  #version: number | undefined;

  constructor(database: StoreDatabase) {
    this.#database = database;
  }

  /** The record of a secret as the database has it now: kept, or read by `read`. Must not run inside a transaction. */
  find(id: SecretId, read: () => SecretRecord | undefined): SecretRecord | undefined {
    const version = this.#database.stateVersion();
    if (version !== this.#version) this.#records.clear();
    this.#version = version;
    const key = JSON.stringify([id.org, id.domain, id.project, id.name]);
    const kept = this.#records.get(key);
    if (kept !== undefined) return kept;
    // What is written between the two is read here, and dropped with the next call.
    const record = read();
    if (record === undefined) return undefined;
    if (this.#records.size >= MAX_RECORDS) this.#records.clear();
    this.#records.set(key, record);
    return record;
  }
}
