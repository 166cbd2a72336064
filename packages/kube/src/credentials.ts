import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { Clock } from "@flyte-secrets/core";
import { SecretsError } from "@flyte-secrets/core";

/** The credentials that a request is sent with. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** A client certificate and its key, in PEM. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
}

/** Provides a connection's credentials. */
export interface CredentialSource {
  /** Throws `credentials_refused` when there are none; rejects when the signal is aborted first. */
  current(signal?: AbortSignal): Promise<Credentials>;
  /**
   * Discards credentials that the API server refused, unless newer ones are there. False if the same would be returned
   * again.
   */
  renew(refused: Credentials): boolean;
  /** Ends a running credential plugin. Idempotent. */
  close(): void;
}

/** Credentials that never change. */
export function createStaticCredentials(identity: Credentials): CredentialSource {
  return { current: async () => identity, renew: () => false, close: () => {} };
}

/** As in client-go: service account tokens are rotated long before they expire. */
const TOKEN_AGE_MS = 60_000;

/**
 * A bearer token in a file that somebody rotates: read again after a minute, and at once after a refusal. While the
 * file can't be read, the token it last held goes on being used, or else the one in `rest`.
 */
export function createTokenFileCredentials(file: string, clock: Clock, rest: Credentials): CredentialSource {
  let kept: { readonly identity: Credentials; readonly readAt: number } | undefined;
  let refused = false;
  return {
    async current() {
      if (kept !== undefined && !refused && clock.elapsed() - kept.readAt < TOKEN_AGE_MS) return kept.identity;
      refused = false;
      const token = await readToken(file);
      if (token === undefined) {
        if (kept !== undefined) return kept.identity;
        if (rest.headers.authorization !== undefined) return rest;
        throw new SecretsError("credentials_refused", `${file} holds no token to call the Kubernetes API server with.`);
      }
      const identity = { ...rest, headers: { ...rest.headers, authorization: `Bearer ${token}` } };
      kept = { identity, readAt: clock.elapsed() };
      return identity;
    },
    renew(identity) {
      if (kept?.identity === identity) refused = true;
      return true;
    },
    close() {},
  };
}

async function readToken(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Whether these are a certificate and its key, in PEM. */
export function isKeyPair(cert: string | Buffer, key: string | Buffer): boolean {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
}
