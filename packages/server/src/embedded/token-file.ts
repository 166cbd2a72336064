import { randomBytes } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import { readPrivateFile, writePrivateFile } from "../store/private-file.ts";
import { hasSystemCode, toStoreError } from "../store/store-error.ts";

/** What clients can send after `Bearer` (RFC 6750, section 2.1), and long enough not to be guessed. */
const TOKEN = /^[A-Za-z0-9\-._~+/]{16,}=*$/;

/**
 * The token in a file of one line, made (32 random bytes in base64url, mode 0600) where there is no such file. Of several
 * processes that start at once, one makes it and the others read it.
 * @throws SecretsError `unsafe_permissions` when the file is open to others, `invalid_config` when it holds no token or lies in
 * no directory, else as the store for files that can't be written.
 */
export function ensureTokenFile(path: string): string {
  const token = (readPrivateFile(path) ?? makeTokenFile(path)).trim();
  if (TOKEN.test(token)) return token;
  throw new SecretsError(
    "invalid_config",
    `${path} (secret.auth.tokenFile) holds no token: one line of 16 or more letters, digits and -._~+/ expected. Remove it to have one made.`,
  );
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
