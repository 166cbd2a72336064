import type { ListRequest, SecretId, StoredSecretType } from "@flyte-secrets/core";
import type { StoreDatabase } from "./database.ts";

const SCOPE_COLUMNS = ["org", "domain", "project"] as const;

/**
 * The query for the entries after `after`, in the order of the primary key; its last parameter is the limit. The
 * leading scope parts are compared for equality and the rest by position, so that SQLite finds the first entry of any
 * page by the key: a page costs the same wherever it is and however many secrets there are.
 */
export function listQuery(
  { scope, includeSystem }: Pick<ListRequest, "scope" | "includeSystem">,
  after: SecretId | undefined,
): { sql: string; parameters: string[] } {
  const gap = SCOPE_COLUMNS.findIndex((column) => scope[column] === "");
  const leading = gap === -1 ? SCOPE_COLUMNS.length : gap;
  const filters = SCOPE_COLUMNS.filter((column) => scope[column] !== "");
  const conditions = filters.map((column) => `${column} = ?`);
  const parameters = filters.map((column) => scope[column]);
  if (after) {
    const order = [...SCOPE_COLUMNS, "name" as const].slice(leading);
    conditions.push(`(${order.join(", ")}) > (${order.map(() => "?").join(", ")})`);
    parameters.push(...order.map((column) => after[column]));
  }
  if (!includeSystem) conditions.push("system = 0");
  const where = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")} ` : "";
  return {
    sql: `SELECT * FROM secrets ${where}ORDER BY org, domain, project, name LIMIT ?`,
    parameters,
  };
}

/** A row of `secrets`: the record of a secret and the row of its value. */
export interface SecretRow extends SecretId {
  readonly type: StoredSecretType;
  readonly system: 0 | 1;
  readonly created_at_ms: number;
  /** How often the secret was written or marked; 1 for a new one. */
  readonly version: number;
  /** When the value was last written, if it is known. */
  readonly updated_at_ms: number | null;
  readonly value_row: number | bigint;
}

/** A row with the secret's sealed value, which is bound to the rest of it. */
export interface SealedRow extends SecretRow {
  readonly sealed: Uint8Array;
}

const BY_ID = "WHERE org = ? AND domain = ? AND project = ? AND name = ?";
const FIND = `SELECT * FROM secrets ${BY_ID}`;

/**
 * The statements on secrets and their sealed values. Those that change something must run in a transaction of the
 * database. Rows are cast to their interfaces, because the tables are STRICT and SQLite enforces the types of the
 * columns.
 */
export class SecretTable {
  readonly #database: StoreDatabase;

  constructor(database: StoreDatabase) {
    this.#database = database;
  }

  find(id: SecretId): SecretRow | undefined {
    return this.#database.statement(FIND).get(...key(id)) as unknown as SecretRow | undefined;
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

  /** Writes the value, and those columns of the row that may change: mark, version and time. */
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
