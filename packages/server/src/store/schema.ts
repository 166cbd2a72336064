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
  -- The value comes last, so that a listing never walks through its overflow pages.
  CREATE TABLE secrets (
    row INTEGER PRIMARY KEY,
    encoded_id TEXT NOT NULL UNIQUE,
    org TEXT NOT NULL,
    domain TEXT NOT NULL,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('generic', 'image_pull')),
    system INTEGER NOT NULL CHECK (system IN (0, 1)),
    created_at_ms INTEGER NOT NULL,
    sealed_value BLOB NOT NULL
  ) STRICT;
  CREATE INDEX secrets_by_scope ON secrets (org, domain, project, name);
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
