import { readFileSync } from "node:fs";
import { GOOD_TOKEN, isGoodToken, SecretsError } from "@flyte-secrets/core";
import { openSharedKey, type SharedKeyOptions } from "./shared-key.ts";

/**
 * The token that `/invalidate-secret` asks for and the service sends: the one line of `cacheInvalidationTokenFile`, or
 * what is kept in `cacheInvalidationTokenSecret`, where whoever starts first makes it; undefined when neither is
 * configured. Throws `invalid_config` for a file that can't be read or has none, and for a Secret without a cluster;
 * else as {@link openSharedKey}.
 */
export async function openInvalidationToken(
  settings: { readonly cacheInvalidationTokenFile: string; readonly cacheInvalidationTokenSecret: string },
  home: Omit<SharedKeyOptions, "name"> | undefined,
): Promise<string | undefined> {
  const { cacheInvalidationTokenFile: file, cacheInvalidationTokenSecret: name } = settings;
  if (file !== "") return readTokenFile(file);
  if (name === "") return undefined;
  if (home) return Buffer.from(await openSharedKey({ ...home, name })).toString("base64url");
  throw new SecretsError(
    "invalid_config",
    "webhook.cacheInvalidationTokenSecret keeps the token in a cluster, and there is none here: set webhook.cacheInvalidationTokenFile " +
      "instead, or secret.kubernetes.kubeconfig",
  );
}

function readTokenFile(file: string): string {
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new SecretsError("invalid_config", `webhook.cacheInvalidationTokenFile: ${file} cannot be read`, { cause });
  }
  if (isGoodToken(token)) return token;
  throw new SecretsError(
    "invalid_config",
    `webhook.cacheInvalidationTokenFile: ${file} must hold a token that is hard to guess: ${GOOD_TOKEN}`,
  );
}
