import { createHmac, randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { readPrivateFile, syncDirectory } from "../files/private-files.ts";
import { keptKeyFile, type StoreDirectory } from "./directory.ts";
import { KEY_BYTES } from "./seal.ts";

/** The key that wraps a store's data key: 32 bytes, and a name for them that gives nothing away. */
export interface MasterKey {
  readonly bytes: Uint8Array;
  readonly id: string;
}

/** A master key from elsewhere than the key file. `invalid_argument` unless it is 32 bytes. */
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
 * The key in a key file: one line of base64. Undefined when there is no such file; `unsafe_permissions` when it is a symbolic
 * link, somebody else's or open to others; `store_key_wrong` when it holds something else.
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

/**
 * The key that a rotation which was cut off left beside the key file. Undefined also where it was cut off in the middle
 * of that.
 */
export function readNextKey({ nextKeyFile }: StoreDirectory): MasterKey | undefined {
  try {
    return readKeyFile(nextKeyFile);
  } catch (error) {
    if (isSecretsError(error) && error.code === "store_key_wrong") return undefined;
    throw error;
  }
}

/**
 * Writes a key beside the key file, durably. Until {@link promoteNextKey} the key file stays as it is, so that whatever
 * happens in between one of the two opens the store. Both need the database's write lock: it is what keeps two processes
 * from writing one key over the other's.
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
 * Makes the key of {@link writeNextKey} the key file, in one step that a crash leaves done or not done. The key that was there is kept beside
 * it ({@link keptKeyFile}).
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
