import type { ListRequest, SecretId, SecretType } from "@flyte-secrets/core";
import { listQuery } from "./list-query.ts";
import type { StoreDatabase } from "./store-database.ts";

/** A row of `secrets`: the record of a secret, and where its value lies. */
export interface SecretRow extends SecretId {
  readonly type: SecretType;
  readonly system: 0 | 1;
  readonly created_at_ms: number;
  /** How often the secret was written, marks included; 1 when it is new. */
  readonly version: number;
  /** When the value was last written, where that is known. */
  readonly updated_at_ms: number | null;
  readonly value_row: number | bigint;
}

/** A row with the secret's sealed value, which is bound to the rest of it. */
export interface SealedRow extends SecretRow {
  readonly sealed: Uint8Array;
}

const BY_ID = "WHERE org = ? AND domain = ? AND project = ? AND name = ?";

/**
 * The statements on secrets and their sealed values. Those that change something belong into a transaction of the database.
 * Rows are taken as their interfaces say: the tables are STRICT, SQLite keeps the columns to their types.
 */
export class SecretTable {
  readonly #database: StoreDatabase;

  constructor(database: StoreDatabase) {
    this.#database = database;
  }

  find(id: SecretId): SecretRow | undefined {
    return this.#database.statement(`SELECT * FROM secrets ${BY_ID}`).get(...key(id)) as unknown as
      | SecretRow
      | undefined;
  }

  findSealed(id: SecretId): SealedRow | undefined {
    return this.#database
      .statement(`SELECT secrets.*, sealed FROM secrets JOIN secret_values ON row = value_row ${BY_ID}`)
      .get(...key(id)) as unknown as SealedRow | undefined;
  }

  /** At most `limit` rows after `after`, in the order of the key. */
  list(request: ListRequest, after: SecretId | undefined, limit: number): SecretRow[] {
    const { sql, parameters } = listQuery(request, after);
    return this.#database.statement(sql).all(...parameters, limit) as unknown as SecretRow[];
  }

  insert(record: Omit<SecretRow, "value_row">, sealed: Uint8Array): SecretRow {
    const { lastInsertRowid } = this.#database.statement("INSERT INTO secret_values (sealed) VALUES (?)").run(sealed);
    const row = { ...record, value_row: lastInsertRowid };
    this.#database
      .statement(
        `INSERT INTO secrets (org, domain, project, name, type, system, created_at_ms, updated_at_ms, version, value_row)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(...key(row), row.type, row.system, row.created_at_ms, row.updated_at_ms, row.version, row.value_row);
    return row;
  }

  /** Writes the value, and of the row what may change: its mark, version and time. */
  replace(row: SecretRow, sealed: Uint8Array): SecretRow {
    this.#database.statement("UPDATE secret_values SET sealed = ? WHERE row = ?").run(sealed, row.value_row);
    this.#database
      .statement(`UPDATE secrets SET system = ?, version = ?, updated_at_ms = ? ${BY_ID}`)
      .run(row.system, row.version, row.updated_at_ms, ...key(row));
    return row;
  }

  remove(row: SecretRow): void {
    this.#database.statement("DELETE FROM secret_values WHERE row = ?").run(row.value_row);
    this.#database.statement(`DELETE FROM secrets ${BY_ID}`).run(...key(row));
  }
}

const key = ({ org, domain, project, name }: SecretId) => [org, domain, project, name] as const;
