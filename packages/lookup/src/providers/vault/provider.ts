import { readFile } from "node:fs/promises";
import { encodeSecretId, isObject, isSecretsError, SecretsError, SecretValue } from "@flyte-secrets/core";
import { errorName, readAsEmpty, refused, unavailable, unreadable } from "../failures.ts";
import { type ReadOptions, readEach, type SecretProvider } from "../secret-provider.ts";
import { createVaultClient, type VaultResponse } from "./client.ts";
import { createVaultLogin } from "./login.ts";
import { baseOf, trimSlashes, type VaultOptions } from "./options.ts";

const NAME = "Vault";

/**
 * HashiCorp Vault's KV engine. Each secret is named by its encoded id, below `path` in the mount, and has its value in
 * the member `value`, or `base64` for bytes. Flyte itself does not support this format.
 */
export async function openVault(config: VaultOptions): Promise<SecretProvider> {
  const { address, caFile, namespace } = config;
  if (address === "") {
    throw new SecretsError(
      "invalid_config",
      "webhook.embeddedSecretManagerConfig.vaultConfig.address is not set: " +
        "write the server's, such as https://vault.example.com:8200",
    );
  }
  const client = createVaultClient({
    address: baseOf(config),
    namespace,
    ...(caFile !== "" && { ca: await readCa(caFile) }),
  });
  const login = createVaultLogin(client, config);
  const isVersion2 = config.kvVersion === "2";
  const parts = [trimSlashes(config.mount), isVersion2 ? "data" : "", trimSlashes(config.path)];
  const prefix = parts.filter((part) => part !== "").join("/");

  async function readOne(name: string, { signal }: ReadOptions): Promise<SecretValue | undefined> {
    const token = await login.token(signal);
    const answer = await readOnce(name, token, signal);
    if (answer.status !== 403) return toValue(name, answer, isVersion2);
    // The token may have expired or been revoked: the answer to a new one decides.
    login.forget(token);
    return toValue(name, await readOnce(name, await login.token(signal), signal), isVersion2);
  }

  async function readOnce(name: string, token: string, signal: AbortSignal): Promise<VaultResponse> {
    try {
      return await client.call({ path: name, token, signal });
    } catch (error) {
      throw unavailable(NAME, name, isSecretsError(error) ? error.message : errorName(error));
    }
  }

  return {
    name: NAME,
    namesOf: (id) => [`${prefix}/${encodeSecretId(id)}`],
    read: (names, options) => readEach(names, (name) => readOne(name, options)),
  };
}

function toValue(name: string, { status, body }: VaultResponse, isVersion2: boolean): SecretValue | undefined {
  if (status === 404 && isAbsent(body)) return undefined;
  if (status === 403) {
    throw refused(NAME, name, {
      detail: "permission denied",
      remedy: "give the webhook's role a policy with `read` on it",
    });
  }
  if (status === 404) throw unavailable(NAME, name, "there is no KV engine of that version at that mount");
  if (status !== 200) throw unavailable(NAME, name, `status ${status}`);
  const data = toObject(body?.data);
  const { value, base64 } = isVersion2 ? toObject(data.data) : data;
  if (typeof value === "string") return SecretValue.fromText(value);
  if (typeof base64 === "string") {
    const bytes = Buffer.from(base64, "base64");
    // Node ignores invalid characters, which would result in another value.
    if (bytes.toString("base64") === base64) return SecretValue.fromBytes(bytes);
    throw unreadable(NAME, name, "its member base64 is not standard base64 with padding");
  }
  throw readAsEmpty(NAME, name);
}

/**
 * Whether a 404 means that the engine has no such secret: it names neither an error nor a warning (which an engine of
 * the other version does), or the version is deleted (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2).
 */
function isAbsent(body: VaultResponse["body"]): boolean {
  if (body === undefined) return false;
  const { errors, warnings } = body;
  if (Array.isArray(errors)) return errors.length === 0 && !Array.isArray(warnings);
  return "metadata" in toObject(body.data);
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new SecretsError(
      "invalid_config",
      `webhook.embeddedSecretManagerConfig.vaultConfig.caFile: ${file} cannot be read (${errorName(error)})`,
    );
  }
}
