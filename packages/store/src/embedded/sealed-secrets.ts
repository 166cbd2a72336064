import {
  encodeSecretId,
  type ListRequest,
  type SecretContent,
  type SecretId,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { StoreDatabase } from "./database.ts";
import { type Keyring, readDataKeyState, reopenKeyring } from "./keyring.ts";
import type { MasterKey } from "./master-key.ts";
import { MAX_SEALS } from "./seal.ts";
import { type BoundRow, sealValue, unsealValue } from "./sealed-values.ts";
import { type SecretRow, SecretTable } from "./secret-table.ts";

export interface SealedSecretsOptions {
  readonly keyring: Keyring;
  /** The master key that was passed in; undefined if it is in the key file. */
  readonly masterKey: MasterKey | undefined;
  readonly log: Logger | undefined;
}

/**
 * The rows of secrets with their values, which are sealed when they are written and opened when they are read. Other
 * processes may replace the data key at any time. Methods that change something must be called inside a transaction.
 */
export class SealedSecrets {
  readonly #database: StoreDatabase;
  readonly #table: SecretTable;
  readonly #masterKey: MasterKey | undefined;
  readonly #log: Logger | undefined;
  #keyring: Keyring;

  constructor(database: StoreDatabase, { keyring, masterKey, log }: SealedSecretsOptions) {
    this.#database = database;
    this.#table = new SecretTable(database);
    this.#keyring = keyring;
    this.#masterKey = masterKey;
    this.#log = log;
  }

  /** The keys that were current at the last read or write. */
  get keyring(): Keyring {
    return this.#keyring;
  }

  find(id: SecretId): SecretRow | undefined {
    return this.#table.find(id);
  }

  /** At most `limit` rows after `after`, in the order of the key. */
  list(request: ListRequest, after: SecretId | undefined, limit: number): SecretRow[] {
    return this.#table.list(request, after, limit);
  }

  /** The value of a secret; undefined if there is no such secret. `store_damaged` if it cannot be opened. */
  read(id: SecretId): SecretValue | undefined {
    const row = this.#table.findSealed(id);
    if (!row) return undefined;
    let bytes = unsealValue(this.#keyring.valueKey, row);
    if (!bytes && this.#reloadKeys()) {
      const again = this.#table.findSealed(id);
      bytes = again && unsealValue(this.#keyring.valueKey, again);
    }
    if (bytes) return SecretValue.fromBytes(bytes);
    throw damagedValue(id);
  }

  insert(id: SecretId, { value, type }: SecretContent): SecretRow {
    const now = Date.now();
    const row = { ...id, type, system: 0, created_at_ms: now, updated_at_ms: now, version: 1 } as const;
    return this.#table.insert(row, this.#seal(row, value));
  }

  replaceValue(row: SecretRow, value: SecretValue): SecretRow {
    const next = { ...row, updated_at_ms: Date.now(), version: row.version + 1 };
    return this.#table.replace(next, this.#seal(next, value));
  }

  /** Marks a secret as a system secret or not. The mark is sealed together with the value. */
  markSystem(row: SecretRow, system: boolean): SecretRow {
    const value = this.read(row);
    if (!value) return row;
    const next = { ...row, system: system ? 1 : 0, version: row.version + 1 } as const;
    return this.#table.replace(next, this.#seal(next, value));
  }

  remove(row: SecretRow): void {
    this.#table.remove(row);
  }

  #seal(row: BoundRow, value: SecretValue): Uint8Array {
    const { generation, seals } = readDataKeyState(this.#database);
    if (generation !== this.#keyring.generation) this.#reloadKeys();
    if (seals >= MAX_SEALS) throw wornOut();
    if (seals === MAX_SEALS / 2) {
      this.#log?.warn("The data key has sealed half of the values that it may: run flyte-secrets keys rotate --data.");
    }
    return sealValue(this.#keyring.valueKey, row, value.revealBytes());
  }

  /** Loads the keys that another process has put in place; false if they have not changed. */
  #reloadKeys(): boolean {
    const found = reopenKeyring(this.#database, this.#masterKey);
    const isNew = found.generation !== this.#keyring.generation;
    this.#keyring = found;
    return isNew;
  }
}

/** A value that cannot be opened with the store's keys. */
export const damagedValue = (id: SecretId) =>
  new SecretsError(
    "store_damaged",
    `The value of ${encodeSecretId(id)} fails its check. Write it again, or restore a backup.`,
  );

const wornOut = () =>
  new SecretsError(
    "call_refused",
    "The store's data key has sealed as many values as it may (2^32). Run: flyte-secrets keys rotate --data",
  );
