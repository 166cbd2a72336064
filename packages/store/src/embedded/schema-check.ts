import { DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { MIGRATIONS } from "./schema.ts";
import type { StoreDatabase } from "./store-database.ts";
import { databaseName } from "./store-directory.ts";

const ALL_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";

/**
 * Throws `store_damaged` unless the database has exactly the tables that the migrations up to its version make: a trigger or a view that
 * somebody added would act on every statement of ours.
 */
export function assertSchema(database: StoreDatabase): void {
  const found = database.statement(ALL_OBJECTS).all();
  const expected = schemaOf(database.schemaVersion());
  const known = new Set(expected.map((object) => JSON.stringify(object)));
  const strange = found.find((object) => !known.has(JSON.stringify(object)));
  if (strange === undefined && found.length === expected.length) return;
  const what = strange
    ? `the ${String(strange.type)} ${JSON.stringify(strange.name)} is not one of ours`
    : "a table of ours is missing";
  throw new SecretsError(
    "store_damaged",
    `${databaseName(database.directory)} is no store as this program makes it: ${what}. Restore an intact backup.`,
  );
}

function schemaOf(version: number): ReturnType<ReturnType<DatabaseSync["prepare"]>["all"]> {
  const made = new DatabaseSync(":memory:");
  try {
    for (const migration of MIGRATIONS.slice(0, version)) made.exec(migration);
    return made.prepare(ALL_OBJECTS).all();
  } finally {
    made.close();
  }
}
