import { readFileSync } from "node:fs";
import { SecretsError } from "@flyte-secrets/core";

/**
 * The token that `/invalidate-secret` asks for: the one line of the file; undefined when none is configured. Throws
 * `invalid_config` for a file that can't be read or has none.
 */
export function readInvalidationToken(file: string): string | undefined {
  if (file === "") return undefined;
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new SecretsError("invalid_config", `webhook.cacheInvalidationTokenFile: ${file} cannot be read`, { cause });
  }
  if (/^[A-Za-z0-9\-._~+/]{16,}=*$/.test(token)) return token;
  throw new SecretsError(
    "invalid_config",
    `webhook.cacheInvalidationTokenFile: ${file} must hold a token of 16 or more letters, digits and -._~+/`,
  );
}
