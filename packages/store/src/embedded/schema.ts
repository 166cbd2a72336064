import { DatabaseSync, type StatementSync } from "node:sqlite";

/** Marks our files (`PRAGMA application_id`): "FLYS". */
export const APPLICATION_ID = 0x464c5953;

/**
 * Statement i migrates a database from version i to i + 1 (`PRAGMA user_version`). Released ones are never changed. The
 * `keyring` table is the same in every version: the key is checked before anything is migrated.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE keyring (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    store_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    wrapped_data_key BLOB NOT NULL
  ) STRICT;
  -- Apart from the values and in the order of the key, so that a page of a listing is a few pages of the file that lie
  -- side by side, and a get is one: however many secrets there are, and however large.
  CREATE TABLE secrets (
    org TEXT NOT NULL,
    domain TEXT NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('generic', 'image_pull')),
    system INTEGER NOT NULL CHECK (system IN (0, 1)),
    created_at_ms INTEGER NOT NULL,
    value_row INTEGER NOT NULL,
    PRIMARY KEY (org, domain, project, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE sealed_values (
    row INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL
  ) STRICT;
  -- The change feed: AUTOINCREMENT never gives a number twice, also after the newest row was trimmed.
  CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('put', 'delete')),
    org TEXT NOT NULL,
    domain TEXT NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL
  ) STRICT;
  `,
  // Values are sealed anew with it: see `reseal-values.ts`. A process of the version before, which knows nothing of
  // that, misses its table.
  `
  ALTER TABLE sealed_values RENAME TO secret_values;
  -- How often the secret was written. A value is sealed together with it.
  ALTER TABLE secrets ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
  -- Of the present data key: which one since the store was made, and how many values were sealed under it beyond the number of the
  -- newest change. Each write has such a number, so that nothing more needs to be counted.
  CREATE TABLE data_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation INTEGER NOT NULL,
    further_seals INTEGER NOT NULL
  ) STRICT;
  INSERT INTO data_key (one, generation, further_seals) VALUES (1, 1, 0);
  -- Which backups were made, and under which master key.
  CREATE TABLE backups (
    made_at_ms INTEGER NOT NULL,
    file TEXT NOT NULL,
    key_id TEXT NOT NULL,
    PRIMARY KEY (made_at_ms, file)
  ) STRICT, WITHOUT ROWID;
  -- In a backup only: when it was made, and a MAC over all the rest of it.
  CREATE TABLE backup_mac (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    made_at_ms INTEGER NOT NULL,
    mac BLOB NOT NULL
  ) STRICT;
  `,
  // When the value was last written; NULL if it was written by a version that didn't record it. It is for display only
  // and is not authenticated.
  "ALTER TABLE secrets ADD COLUMN updated_at_ms INTEGER",
];

/** The first version of the schema in which values are bound to their whole row and backups have a MAC. */
export const BOUND_ROWS_VERSION = 2;

/** All tables whose content a restore takes over, each with the columns that order its rows. */
export const CONTENT_TABLES: Readonly<Record<string, string>> = {
  keyring: "one",
  data_key: "one",
  secrets: "org, domain, project, name",
  secret_values: "row",
  changes: "sequence",
  sqlite_sequence: "name",
  backups: "made_at_ms, file",
};

/** Lists what a database consists of, in a fixed order. */
export const ALL_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";

/** The result of {@link ALL_OBJECTS} in a database that the migrations up to a version have made. */
export function objectsOfVersion(version: number): ReturnType<StatementSync["all"]> {
  const made = new DatabaseSync(":memory:");
  try {
    for (const migration of MIGRATIONS.slice(0, version)) made.exec(migration);
    return made.prepare(ALL_OBJECTS).all();
  } finally {
    made.close();
  }
}
