import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import { createClient, type Transport } from "@connectrpc/connect";
import { parseObject, raceSignal, SecretsError } from "@flyte-secrets/core";
import { AuthMetadataService } from "@flyte-secrets/idl";
import type { ClientCredentials, Connection } from "./connection.ts";
import { toSecretsError } from "./to-secrets-error.ts";

/** A token in the header that it is sent in. */
export interface CallToken {
  readonly header: string;
  readonly token: string;
}

/** Provides the tokens of calls. */
export interface TokenSource {
  /**
   * Returns the token of a call; undefined without authentication. `refused` is a token that the server has rejected,
   * so that another one is returned if possible.
   */
  get(signal: AbortSignal, refused?: CallToken): Promise<CallToken | undefined>;
}

/**
 * Creates the token source of a connection. `metadata` calls the service without credentials, for the address of the
 * token endpoint.
 */
export function createTokenSource(connection: Connection, metadata: Transport): TokenSource {
  const { auth } = connection;
  switch (auth.kind) {
    case "none":
      return { get: async () => undefined };
    case "token":
      return {
        get: async () => {
          const token = typeof auth.token === "string" ? auth.token : await auth.token();
          return { header: "authorization", token };
        },
      };
    case "credentials":
      return createCredentialsSource(auth.credentials, connection, metadata);
  }
}

/** Tokens are renewed early, so that none expires in transit. */
const RENEW_EARLY_MS = 30_000;

/**
 * The time limit of getting a token. Concurrent calls share one request, and each waits at most for its own time limit.
 */
const REQUEST_TIMEOUT_MS = 30_000;

function createCredentialsSource(
  credentials: ClientCredentials,
  connection: Connection,
  metadata: Transport,
): TokenSource {
  let held: (CallToken & { readonly expiresAtMs: number }) | undefined;
  let requesting: Promise<CallToken> | undefined;

  async function request(): Promise<CallToken> {
    try {
      // The request has its own time limit, because the first caller may give up while others wait.
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      held = await requestToken(credentials, { connection, metadata, signal });
      return held;
    } finally {
      requesting = undefined;
    }
  }

  return {
    async get(signal, refused) {
      const isFresh = held !== undefined && held.token !== refused?.token && Date.now() < held.expiresAtMs;
      if (isFresh) return held;
      return await raceSignal(
        signal,
        () => (requesting ??= request()),
        ({ reason }) => reason,
      );
    },
  };
}

interface TokenRequest {
  readonly connection: Connection;
  readonly metadata: Transport;
  readonly signal: AbortSignal;
}

/** Requests a token by OAuth 2's client credentials grant (RFC 6749, 4.4) from the service's token endpoint. */
async function requestToken(
  credentials: ClientCredentials,
  { connection, metadata, signal }: TokenRequest,
): Promise<CallToken & { expiresAtMs: number }> {
  const client = createClient(AuthMetadataService, metadata);
  const [server, publicClient] = await Promise.all([
    client.getOAuth2Metadata({}, { signal }),
    client.getPublicClientConfig({}, { signal }),
  ]).catch((error: unknown) => {
    throw toSecretsError(error, connection);
  });
  const url = checkTokenEndpoint(server.tokenEndpoint, connection.endpoint);
  const { scopes, audience } = publicClient;
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    ...(scopes.length > 0 && { scope: scopes.join(" ") }),
    ...(audience && { audience }),
  });
  const headers = { authorization: basic(credentials) };
  const answer = await postForm(url, form, { headers, tls: connection.tls, signal }).catch((error: unknown) => {
    throw toSecretsError(error, { endpoint: url.origin });
  });
  const { token, expiresInSeconds } = parseTokenAnswer(answer, url.href);
  return {
    header: publicClient.authorizationMetadataKey || "authorization",
    token,
    expiresAtMs: Date.now() + expiresInSeconds * 1000 - RENEW_EARLY_MS,
  };
}

/**
 * The client's secret is sent to this URL, and therefore over TLS, unless the user has chosen plain HTTP for the
 * service.
 */
function checkTokenEndpoint(tokenEndpoint: string, endpoint: string): URL {
  const url = URL.parse(tokenEndpoint);
  if (url === null) {
    throw unauthenticated(`${endpoint} names no OAuth2 token endpoint: use a token instead of client credentials.`);
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && endpoint.startsWith("http:"))) {
    throw unauthenticated(
      `${endpoint} names ${url.origin} as its token endpoint: client credentials are sent over https only.`,
    );
  }
  return url;
}

/** The header of RFC 6749, 2.3.1, which requires both parts to be form-encoded first. */
function basic({ clientId, clientSecret }: ClientCredentials): string {
  const encode = (text: string): string => new URLSearchParams({ "": text }).toString().slice(1);
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString("base64")}`;
}

function parseTokenAnswer(
  answer: { status: number; body: string },
  url: string,
): { token: string; expiresInSeconds: number } {
  const fields = parseObject(answer.body) ?? {};
  if (answer.status === 200 && typeof fields.access_token === "string") {
    // A token without a lifetime is used until the server rejects it.
    const expiresInSeconds = typeof fields.expires_in === "number" ? fields.expires_in : Number.POSITIVE_INFINITY;
    return { token: fields.access_token, expiresInSeconds };
  }
  const reason = typeof fields.error === "string" ? fields.error : `HTTP ${answer.status}`;
  throw unauthenticated(`${url} gave no token for the client credentials: ${reason}. Check client id and secret.`);
}

const unauthenticated = (message: string): SecretsError => new SecretsError("unauthenticated", message);

/** A form, and how to send it. */
export interface FormOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Connection["tls"];
  readonly signal: AbortSignal;
}

/**
 * Posts a form and returns status and body, whatever the status. Rejects when there is no response. Not by fetch, which
 * takes no certificates.
 */
export async function postForm(
  url: URL,
  form: URLSearchParams,
  { headers, tls, signal }: FormOptions,
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  request(url, {
    method: "POST",
    headers: { ...headers, accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
    signal,
    ...tls,
  })
    .on("error", reject)
    .on("response", (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
    .end(form.toString());
  return promise;
}
