import { readFileSync } from "node:fs";
import { isStrongToken, SecretsError, STRONG_TOKEN_RULE } from "@flyte-secrets/core";
import { openSharedKey, type SharedKeyOptions } from "./shared-key.ts";

export interface SharedTokenOptions {
  /** The file with the token, in one line; empty: none. */
  readonly file: string;
  /** The Secret with the token, which is used without a file; empty: none. */
  readonly secretName: string;
  /** The cluster and namespace of the Secret; undefined outside a cluster. */
  readonly home: Omit<SharedKeyOptions, "name"> | undefined;
  /** The settings that `file` and `secretName` come from, for errors. */
  readonly settings: Readonly<Record<"file" | "secretName", string>>;
}

/**
 * A bearer token that two programs share: that of a file, or one derived from the key of a Secret, which the first
 * program creates. Undefined if there is neither. Throws `invalid_config` for a file without a strong token, and for a
 * Secret outside a cluster; else like {@link openSharedKey}.
 */
export async function openSharedToken(options: SharedTokenOptions): Promise<string | undefined> {
  const { file, secretName: name, home, settings } = options;
  if (file !== "") return readTokenFile(file, settings.file);
  if (name === "") return undefined;
  if (home) return Buffer.from(await openSharedKey({ ...home, name })).toString("base64url");
  throw new SecretsError(
    "invalid_config",
    `${settings.secretName} keeps the token in a cluster, and there is none here: ` +
      `set ${settings.file} instead, or secret.kubernetes.kubeconfig`,
  );
}

function readTokenFile(file: string, setting: string): string {
  let token: string;
  try {
    token = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new SecretsError("invalid_config", `${setting}: ${file} cannot be read`, { cause });
  }
  if (isStrongToken(token)) return token;
  throw new SecretsError(
    "invalid_config",
    `${setting}: ${file} must hold a token that is hard to guess: ${STRONG_TOKEN_RULE}`,
  );
}
