import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { SecretsError } from "@flyte-secrets/core";
import { readPrivateFile, writePrivateFile } from "../store/private-file.ts";
import { hasSystemCode, toStoreError } from "../store/store-error.ts";

/** What clients can send after `Bearer` (RFC 6750, section 2.1), and long enough not to be guessed. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{16,}=*$/;

/**
 * The token in a file of one line, made (32 random bytes in base64url, mode 0600) where there is no such file. Of several
 * processes that start at once, one makes it and the others read it. What Kubernetes mounts of a Secret is taken as well.
 * @throws SecretsError `unsafe_permissions` when the file is open to others, `invalid_config` when it holds no token or lies in
 * no directory, else as the store for files that can't be written.
 */
export function ensureTokenFile(path: string): string {
  const token = (readMountedFile(path) ?? readPrivateFile(path) ?? makeTokenFile(path)).trim();
  if (TOKEN.test(token)) return token;
  throw new SecretsError(
    "invalid_config",
    `${path} (secret.auth.tokenFile) holds no token: one line of 16 or more letters, digits and -._~+/ expected. Remove it to have one made.`,
  );
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
  const token = randomBytes(32).toString("base64url");
  try {
    return writePrivateFile(path, `${token}\n`, { replace: false }) ? token : (readPrivateFile(path) ?? token);
  } catch (error) {
    if (!hasSystemCode(error, "ENOENT")) throw toStoreError(error, path);
    const reason = `${path} (secret.auth.tokenFile) lies in no directory: make that first, or leave the key out.`;
    throw new SecretsError("invalid_config", reason, { cause: error });
  }
}
