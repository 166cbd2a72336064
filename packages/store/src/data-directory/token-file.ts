import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { GOOD_TOKEN, hasSystemCode, isGoodToken, SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { toStoreError } from "../errors.ts";
import { readPrivateFile, writePrivateFile } from "../files/private-files.ts";

/**
 * The token in a file of one line, made (32 random bytes in base64url, mode 0600) where there is no such file. Of several
 * processes that start at once, one makes it and the others read it. What Kubernetes mounts of a Secret is taken as well.
 * @throws SecretsError `unsafe_permissions` when the file is open to others, `invalid_config` when it holds no token or lies in
 * no directory, else as the store for files that can't be written.
 */
export function ensureTokenFile(path: string): string {
  const token = (readMountedFile(path) ?? readPrivateFile(path) ?? makeTokenFile(path)).trim();
  if (isGoodToken(token)) return token;
  throw new SecretsError(
    "invalid_config",
    `${path} (secret.auth.tokenFile) holds no token that is hard to guess: ${GOOD_TOKEN} expected. Remove it to have one made, or write the output of: openssl rand -hex 32`,
  );
}

/**
 * Gives the token of a file as {@link ensureTokenFile} reads it, and from then on a new one as soon as it is there: with each call the
 * file is looked at, and read again when it is another one or was written. While it is missing or no good, the token before counts.
 */
export function followTokenFile(path: string, log: Logger): () => string {
  let version = versionOf(path);
  let token = ensureTokenFile(path);
  return () => {
    const now = versionOf(path);
    if (now === version) return token;
    version = now;
    try {
      if (now !== undefined) token = ensureTokenFile(path);
    } catch (error) {
      log.error({ err: error, path }, "the token file was changed and can't be used: the token before still counts");
    }
    return token;
  };
}

/**
 * Puts a new token into a file, or makes the file: whole or not at all, so that of several processes that do so at once the last one's
 * stays. Throws as {@link ensureTokenFile}, and `invalid_config` for a file that Kubernetes mounts, which is changed in its Secret.
 */
export function rotateTokenFile(path: string): void {
  if (readMountedFile(path) !== undefined) {
    const reason = `${path} (secret.auth.tokenFile) comes from a Kubernetes Secret: change the token there`;
    throw new SecretsError("invalid_config", reason);
  }
  readPrivateFile(path); // Somebody else's is left alone.
  writeToken(path, { replace: true });
}

/** Which file this is, and when it was written; undefined while there is none. */
function versionOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
}

/**
 * The text of a file of root's that a group may read and nobody else: so, and behind symbolic links, the kubelet mounts a Secret
 * for a pod with `fsGroup`. Undefined for any other.
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

/** The new token; undefined when another process has written one since. */
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
