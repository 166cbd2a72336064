import { createHmac, randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { readPrivateFile, syncDirectory } from "../files/private-files.ts";
import { keptKeyFile, type StoreDirectory } from "./directory.ts";
import { KEY_BYTES } from "./seal.ts";

/** The key that wraps a store's data key: 32 bytes, and an id that reveals nothing about them. */
export interface MasterKey {
  readonly bytes: Uint8Array;
  readonly id: string;
}

/** A master key from bytes. `invalid_argument` unless there are 32. */
export function toMasterKey(bytes: Uint8Array): MasterKey {
  if (bytes.length !== KEY_BYTES) {
    throw new SecretsError(
      "invalid_argument",
      `master key: ${KEY_BYTES} bytes expected, got ${bytes.length}. Make one with: openssl rand -base64 ${KEY_BYTES}`,
    );
  }
  const id = createHmac("sha256", bytes).update("flyte-secrets master key id").digest("hex").slice(0, 16);
  return { bytes, id };
}

/** A new random master key. */
export function createMasterKey(): MasterKey {
  return toMasterKey(randomBytes(KEY_BYTES));
}

/**
 * The key in a key file: one line of base64. Undefined if there is no such file; `unsafe_permissions` if it is a
 * symbolic link, belongs to another user or can be read by others; `store_key_wrong` if it holds anything else.
 */
export function readKeyFile(path: string): MasterKey | undefined {
  const text = readPrivateFile(path)?.trim();
  if (text === undefined) return undefined;
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === KEY_BYTES && bytes.toString("base64") === text) return toMasterKey(bytes);
  throw new SecretsError(
    "store_key_wrong",
    `${path} is no key file: one line with the base64 of ${KEY_BYTES} bytes expected. Nothing was changed.`,
  );
}

/** The key that an interrupted rotation left beside the key file. Undefined also if that file is incomplete. */
export function readNextKey({ nextKeyFile }: StoreDirectory): MasterKey | undefined {
  try {
    return readKeyFile(nextKeyFile);
  } catch (error) {
    if (isSecretsError(error) && error.code === "store_key_wrong") return undefined;
    throw error;
  }
}

/**
 * Writes a key beside the key file, durably. The key file stays as it is until {@link promoteNextKey}, so that one of
 * the two opens the store whatever happens in between. Both need the database's write lock, so that two processes don't
 * overwrite each other's key.
 */
export function writeNextKey(directory: StoreDirectory, key: MasterKey): void {
  rmSync(directory.nextKeyFile, { force: true });
  const descriptor = openSync(directory.nextKeyFile, "wx", 0o600);
  try {
    writeFileSync(descriptor, `${Buffer.from(key.bytes).toString("base64")}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncDirectory(directory.path);
}

/**
 * Moves the key of {@link writeNextKey} into the key file, atomically. The previous key is kept beside it (
 * {@link keptKeyFile}).
 */
export function promoteNextKey(directory: StoreDirectory): void {
  const present = readKeyFile(directory.keyFile);
  if (present) {
    const kept = keptKeyFile(directory, present.id);
    if (!existsSync(kept)) linkSync(directory.keyFile, kept);
  }
  renameSync(directory.nextKeyFile, directory.keyFile);
  syncDirectory(directory.path);
}
