import { readFile } from "node:fs/promises";
import { isObject, isSecretsError, raceSignal, SecretsError } from "@flyte-secrets/core";
import { errorName } from "../failures.ts";
import type { VaultClient } from "./client.ts";
import { authMountOf, type VaultOptions } from "./options.ts";

/** The path at which Kubernetes mounts a pod's own token. */
const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const LOGIN_TIMEOUT_MS = 30_000;
const SETTINGS = "webhook.embeddedSecretManagerConfig.vaultConfig";

/** Obtains tokens for Vault. */
export interface VaultLogin {
  /** The token to use now. Concurrent callers share one login, which continues if one of them is aborted. */
  token(signal: AbortSignal): Promise<string>;
  /** Vault refused this token: the next call logs in again. */
  forget(token: string): void;
}

/** Logs in with a token from a file, or as the pod's service account. The token is used until Vault refuses it. */
export function createVaultLogin(client: VaultClient, options: VaultOptions): VaultLogin {
  let current: string | undefined;
  let loggingIn: Promise<string> | undefined;

  async function start(): Promise<string> {
    try {
      // It has its own time limit, because the first caller may be aborted while others wait.
      const limit = AbortSignal.timeout(LOGIN_TIMEOUT_MS);
      current = options.auth === "token" ? await readToken(options.tokenFile) : await logIn(client, options, limit);
      return current;
    } finally {
      loggingIn = undefined;
    }
  }

  return {
    async token(signal) {
      return current ?? (await raceSignal(signal, () => (loggingIn ??= start())));
    },
    forget(refused) {
      // A call with an older token does not concern the current one, nor a login in progress.
      if (current === refused) current = undefined;
    },
  };
}

async function logIn(client: VaultClient, options: VaultOptions, signal: AbortSignal): Promise<string> {
  const { role, tokenFile } = options;
  const authMount = authMountOf(options);
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
      `Vault refused the login with role "${role}" at auth/${authMount} (status ${answer.status}): ` +
        "bind the role to the webhook's " +
        `service account and namespace, or change ${SETTINGS}.role or .authMount`,
    );
  }
  throw new SecretsError(
    "store_unavailable",
    `Vault gave no token at auth/${authMount} (status ${answer.status}): ` +
      `it may be sealed, or ${SETTINGS}.authMount be wrong`,
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
  // A header can contain nothing else.
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw fail(text === "" ? `${file} is empty` : `${file} holds more than one token, or another text`);
}
