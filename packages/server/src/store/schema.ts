/** Marks our files (`PRAGMA application_id`): "FLYS". */
export const APPLICATION_ID = 0x464c5953;

/**
 * Statement i brings a database from version i to i + 1 (`PRAGMA user_version`). Released ones are never changed. The
 * `keyring` table stays as it is in every version: the key is checked before anything is migrated.
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
];
