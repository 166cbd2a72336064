import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from "node:fs";
import { hasSystemCode, isStrongToken, SecretsError, STRONG_TOKEN_RULE } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { toStoreError } from "../errors.ts";
import { readPrivateFile, writePrivateFile } from "../files/private-files.ts";

/**
 * The token in a file of one line, which is created (32 random bytes in base64url, mode 0600) if it is missing. Of
 * several processes that start at the same time one creates it and the others read it. A file that Kubernetes mounts
 * from a Secret is accepted too.
 * @throws SecretsError `unsafe_permissions` if others can read the file, `invalid_config` if it holds no token or its
 * directory does not exist, a store's error if it can't be written.
 */
export function ensureTokenFile(path: string): string {
  const token = (readMountedFile(path) ?? readPrivateFile(path) ?? makeTokenFile(path)).trim();
  if (isStrongToken(token)) return token;
  throw new SecretsError(
    "invalid_config",
    `${path} (secret.auth.tokenFile) holds no token that is hard to guess: ${STRONG_TOKEN_RULE} expected. ` +
      "Remove it to have one made, or write the output of: openssl rand -hex 32",
  );
}

/**
 * Returns a function for the current token of a file, which is read as by {@link ensureTokenFile}. Each call checks
 * whether the file was replaced or written, and reads it again if so. While it is missing or invalid, the previous
 * token stays valid.
 */
export function followTokenFile(path: string, log: Logger): () => string {
  let version = versionOf(path);
  let token = ensureTokenFile(path);
  return () => {
    const now = versionOf(path);
    if (isSame(now, version)) return token;
    version = now;
    try {
      if (now !== undefined) token = ensureTokenFile(path);
    } catch (error) {
      log.error({ err: error, path }, "the token file was changed and is invalid: the previous token stays valid");
    }
    return token;
  };
}

/**
 * Writes a new token to a file atomically, or creates the file; of several processes that do so at the same time the
 * last one wins. Throws as {@link ensureTokenFile}, and `invalid_config` for a file that Kubernetes mounts, whose
 * Secret has to be changed instead.
 */
export function rotateTokenFile(path: string): void {
  if (readMountedFile(path) !== undefined) {
    const reason = `${path} (secret.auth.tokenFile) comes from a Kubernetes Secret: change the token there`;
    throw new SecretsError("invalid_config", reason);
  }
  readPrivateFile(path); // Refuses a file of another user.
  writeToken(path, { replace: true });
}

type FileVersion = Pick<Stats, "ino" | "size" | "mtimeMs" | "ctimeMs"> | undefined;

/** Identifies the file and its last write; undefined if there is no file. */
function versionOf(path: string): FileVersion {
  return statSync(path, { throwIfNoEntry: false });
}

/** Compares number by number, since each call of the service does. */
function isSame(one: FileVersion, other: FileVersion): boolean {
  return (
    one?.ino === other?.ino &&
    one?.size === other?.size &&
    one?.mtimeMs === other?.mtimeMs &&
    one?.ctimeMs === other?.ctimeMs
  );
}

/**
 * The text of a file that belongs to root and that only a group may read: this is how the kubelet mounts a Secret for a
 * pod with `fsGroup`, behind symbolic links. Undefined for any other file.
 */
function readMountedFile(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(descriptor);
    const isMounted = stats.isFile() && stats.uid === 0 && (stats.mode & 0o777) === 0o440;
    return isMounted ? readFileSync(descriptor, "utf8") : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function makeTokenFile(path: string): string {
  return writeToken(path, { replace: false }) ?? readPrivateFile(path) ?? "";
}

/** The new token; undefined if another process has written one in the meantime. */
function writeToken(path: string, options: { readonly replace: boolean }): string | undefined {
  const token = randomBytes(32).toString("base64url");
  try {
    return writePrivateFile(path, `${token}\n`, options) ? token : undefined;
  } catch (error) {
    if (!hasSystemCode(error, "ENOENT")) throw toStoreError(error, path);
    const reason = `${path} (secret.auth.tokenFile) lies in no directory: make that first, or leave the key out.`;
    throw new SecretsError("invalid_config", reason, { cause: error });
  }
}
