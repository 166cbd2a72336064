import { encodeSecretId, type SecretId, type SecretType } from "@flyte-secrets/core";
import { seal, unseal } from "./seal.ts";
import type { SealedRow, SecretRow } from "./secret-table.ts";

/** The parts of a row that its value is sealed together with. */
export type BoundRow = Pick<SecretRow, keyof SecretId | "type" | "system" | "created_at_ms" | "version">;

/** Seals a value so that it opens only in this row as it is: as this secret's, of this type, mark, age and version. */
export function sealValue(key: Uint8Array, row: BoundRow, plain: Uint8Array): Uint8Array {
  return seal(key, contextOf(row), plain);
}

/** What {@link sealValue} sealed; undefined for another key or row, and for a damaged value. */
export function unsealValue(key: Uint8Array, row: Omit<SealedRow, "value_row">): Uint8Array | undefined {
  return unseal(key, contextOf(row), row.sealed);
}

/** As {@link unsealValue} for a store before rows had a version: there a value was bound to id and type alone. */
export function unsealUnboundValue(
  key: Uint8Array,
  { type, sealed, ...id }: SecretId & { type: SecretType; sealed: Uint8Array },
) {
  return unseal(key, `${type} ${encodeSecretId(id)}`, sealed);
}

// No part contains a blank, and the first contexts of all began with the type.
const contextOf = (row: BoundRow): string =>
  `2 ${row.type} ${row.system} ${row.version} ${row.created_at_ms} ${encodeSecretId(row)}`;
