import { type ConnectionFault, connectionFault, isSecureUrl } from "@flyte-secrets/core";
import type { JWTVerifyGetKey } from "jose";
import * as z from "zod/mini";

/** The issuer's metadata (RFC 8414, OpenID Connect Discovery 1.0); unknown members are kept. */
const metadataSchema = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.string(),
  authorization_endpoint: z.optional(z.string()),
  token_endpoint: z.optional(z.string()),
  device_authorization_endpoint: z.optional(z.string()),
  response_types_supported: z.optional(z.array(z.string())),
  scopes_supported: z.optional(z.array(z.string())),
  token_endpoint_auth_methods_supported: z.optional(z.array(z.string())),
  code_challenge_methods_supported: z.optional(z.array(z.string())),
  grant_types_supported: z.optional(z.array(z.string())),
});

const keySchema = z.looseObject({ kty: z.string() });

/** Keys of unknown kinds, and keys that lack a member, must be ignored (RFC 7517, section 5). */
const keySetSchema = z.pipe(
  z.object({ keys: z.array(z.unknown()) }),
  z.transform(({ keys }) => ({ keys: keys.flatMap((key) => keySchema.safeParse(key).data ?? []).filter(isUsable) })),
);

/** The members that a key of each kind must have (RFC 7518, section 6; RFC 8037). */
const REQUIRED = new Map([
  ["RSA", ["n", "e"]],
  ["EC", ["crv", "x", "y"]],
  ["OKP", ["crv", "x"]],
]);

function isUsable(key: z.output<typeof keySchema>): boolean {
  const isText = (name: string) => typeof key[name] === "string" && key[name] !== "";
  return REQUIRED.get(key.kty)?.every(isText) ?? false;
}

export type IssuerMetadata = z.output<typeof metadataSchema>;

/** The documents of an issuer that a server needs to verify its tokens and to direct clients to it. */
export interface IssuerDocuments {
  readonly metadata: IssuerMetadata;
  /** Finds the public key that a token names. */
  readonly findKey: JWTVerifyGetKey;
}

/**
 * Fetches an issuer's metadata and public keys. Throws an Error that names the document which is missing or wrong, and
 * why. Metadata of another issuer (RFC 8414 section 3.3), redirections, and a key URL without https are rejected.
 */
export async function fetchIssuerDocuments(issuer: string, signal: AbortSignal): Promise<IssuerDocuments> {
  const metadata = await fetchMetadata(issuer, signal);
  if (metadata.issuer !== issuer) throw new Error(`its metadata is that of ${metadata.issuer}`);
  if (!isSecureUrl(metadata.jwks_uri)) throw new Error("its metadata names a jwks_uri without https");
  const keys = await fetchDocument(metadata.jwks_uri, keySetSchema, signal);
  const { createLocalJWKSet } = await import("jose");
  return { metadata, findKey: createLocalJWKSet(keys) };
}

/** OpenID Connect puts its document below the issuer's path, RFC 8414 the other before it. */
async function fetchMetadata(issuer: string, signal: AbortSignal): Promise<IssuerMetadata> {
  const base = issuer.replace(/\/$/, "");
  const { origin, pathname } = new URL(base);
  const openId = `${base}/.well-known/openid-configuration`;
  const oauth = `${origin}/.well-known/oauth-authorization-server${pathname === "/" ? "" : pathname}`;
  try {
    return await fetchDocument(openId, metadataSchema, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof NoSuchDocument)) throw error;
    return await fetchDocument(oauth, metadataSchema, signal);
  }
}

class NoSuchDocument extends Error {}

async function fetchDocument<S extends z.ZodMiniType>(
  url: string,
  schema: S,
  signal: AbortSignal,
): Promise<z.output<S>> {
  const headers = { accept: "application/json" };
  const answer = await fetch(url, { headers, signal, redirect: "error" }).catch((cause: unknown) => {
    throw new Error(`${url} cannot be reached (${describe(cause, url.startsWith("https:"))})`, { cause });
  });
  if (!answer.ok) {
    await answer.body?.cancel();
    const message = `${url} answers ${answer.status}`;
    throw answer.status === 404 ? new NoSuchDocument(message) : new Error(message);
  }
  const parsed = schema.safeParse(await answer.json().catch(() => undefined));
  if (!parsed.success) throw new Error(`${url} is not the JSON document that belongs there`);
  return parsed.data;
}

const FAULTS: Readonly<Record<ConnectionFault, string>> = {
  "no TLS": "it does not speak TLS",
  "no HTTP": "it does not answer to plain HTTP",
  untrusted: "its certificate is not trusted; name its CA's file in NODE_EXTRA_CA_CERTS",
  expired: "its certificate is over, or not good yet",
  "other name": "its certificate is for another name",
  "certificate wanted": "it wants a client certificate",
};

/** The reason that `fetch` hides in the cause: `ECONNREFUSED`, `CERT_HAS_EXPIRED`, ... */
function describe(error: unknown, isSecure: boolean): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const fault = connectionFault(cause, isSecure);
  if (fault !== undefined) return FAULTS[fault];
  if (!(cause instanceof Error)) return String(cause);
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message;
}
