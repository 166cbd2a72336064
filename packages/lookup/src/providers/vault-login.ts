import { readFile } from "node:fs/promises";
import { isObject, isSecretsError, raceSignal, SecretsError } from "@flyte-secrets/core";
import { errorName } from "./fetch-failures.ts";
import type { VaultClient } from "./vault-client.ts";
import { authMountOf, type VaultOptions } from "./vault-config.ts";

/** Where Kubernetes puts a pod's own token. */
const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const LOGIN_TIMEOUT_MS = 30_000;
const SETTINGS = "webhook.embeddedSecretManagerConfig.vaultConfig";

/** Gets tokens for Vault. */
export interface VaultLogin {
  /** The token to use now. Several callers share one login, which goes on for the others when one of them gives up. */
  token(signal: AbortSignal): Promise<string>;
  /** Vault refuses this token: the next call gets a new one. */
  forget(token: string): void;
}

/** Logs in as `vaultConfig.auth` says: with a token from a file, or as the pod's service account. A token is kept until it is refused. */
export function createVaultLogin(client: VaultClient, config: VaultOptions): VaultLogin {
  let kept: string | undefined;
  let running: Promise<string> | undefined;

  async function start(): Promise<string> {
    try {
      // By a time limit of its own: who asked first may give up while others wait.
      const limit = AbortSignal.timeout(LOGIN_TIMEOUT_MS);
      kept = config.auth === "token" ? await readToken(config.tokenFile) : await logIn(client, config, limit);
      return kept;
    } finally {
      running = undefined;
    }
  }

  return {
    async token(signal) {
      return kept ?? (await raceSignal(signal, () => (running ??= start())));
    },
    forget(refused) {
      // A call that was sent with an older token says nothing about this one, nor about a login under way.
      if (kept === refused) kept = undefined;
    },
  };
}

async function logIn(client: VaultClient, config: VaultOptions, signal: AbortSignal): Promise<string> {
  const { role, tokenFile } = config;
  const authMount = authMountOf(config);
  const jwt = await readToken(tokenFile || SERVICE_ACCOUNT_TOKEN);
  const answer = await client.call({ path: `auth/${authMount}/login`, body: { role, jwt }, signal }).catch((error) => {
    const reason = isSecretsError(error) ? error.message : errorName(error);
    throw new SecretsError("store_unavailable", `Vault could not be asked for a token: ${reason}`);
  });
  const auth = answer.body?.auth;
  const token = isObject(auth) ? auth.client_token : undefined;
  if (answer.status === 200 && typeof token === "string") return token;
  if (answer.status >= 400 && answer.status < 404) {
    throw new SecretsError(
      "credentials_refused",
      `Vault refused the login with role "${role}" at auth/${authMount} (status ${answer.status}): bind the role to the webhook's ` +
        `service account and namespace, or change ${SETTINGS}.role or .authMount`,
    );
  }
  throw new SecretsError(
    "store_unavailable",
    `Vault gave no token at auth/${authMount} (status ${answer.status}): it may be sealed, or ${SETTINGS}.authMount be wrong`,
  );
}

async function readToken(file: string): Promise<string> {
  const fail = (problem: string) =>
    new SecretsError("credentials_refused", `${SETTINGS}.tokenFile: ${problem}: write the path of a file with a token`);
  let text: string;
  try {
    text = (await readFile(file, "utf8")).trim();
  } catch (error) {
    throw fail(`${file === "" ? "not set" : file} cannot be read (${errorName(error)})`);
  }
  // Nothing else can stand in a header.
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw fail(text === "" ? `${file} is empty` : `${file} holds more than one token, or another text`);
}
