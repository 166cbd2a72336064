import { timingSafeEqual } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { OidcAuth, ServiceAuth, TokenAuth } from "../service-options.ts";
import { type Authentication, bearerTokens } from "./authentication.ts";
import { createIssuer } from "./issuer.ts";
import type { IssuerMetadata } from "./issuer-documents.ts";
import { createVerifiedTokens } from "./verified-tokens.ts";
import { verifyToken } from "./verify-token.ts";

/** The authentication that is configured. */
export function createAuthentication(auth: ServiceAuth, log: Logger): Authentication {
  switch (auth.mode) {
    case "none":
      return noAuthentication;
    case "token":
      return createTokenAuthentication(auth.token);
    case "oidc":
      return createOidcAuthentication(auth, log);
  }
}

function nothingToConfigure(): never {
  throw new SecretsError("unimplemented", "this server asks for no credentials: there is nothing to configure");
}

const noAuthentication: Authentication = {
  authorise() {},
  handlers: { getOAuth2Metadata: nothingToConfigure, getPublicClientConfig: nothingToConfigure },
  issuerMetadata: () => undefined,
  close() {},
};

/**
 * One fixed token. Without an issuer the OAuth 2 metadata names no endpoint; it is served nevertheless, because Flyte's
 * clients request both documents and give up when either fails. How long a comparison takes tells at most the length of
 * the token.
 */
function createTokenAuthentication(token: TokenAuth["token"]): Authentication {
  let expected = { token: "", bytes: Buffer.from("") };
  return {
    authorise(headers) {
      const tokens = bearerTokens(headers);
      const current = typeof token === "string" ? token : token();
      if (current !== expected.token) expected = { token: current, bytes: Buffer.from(current) };
      if (tokens.some((sent) => areEqual(Buffer.from(sent), expected.bytes))) return;
      const problem = tokens.length === 0 ? "no token was sent" : "the token is wrong";
      throw new SecretsError(
        "unauthenticated",
        `${problem}: send the header "authorization: Bearer <token>" with the token of this server`,
      );
    },
    handlers: {
      getOAuth2Metadata: () => ({}),
      getPublicClientConfig: () => ({ authorizationMetadataKey: "authorization" }),
    },
    issuerMetadata: () => undefined,
    close() {},
  };
}

function areEqual(one: Buffer, other: Buffer): boolean {
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}

/**
 * Signed tokens of an OpenID Connect (or plain OAuth 2) issuer, to which clients are directed by its own metadata. The
 * issuer's documents are fetched at once, so that the first call need not wait; an issuer that is down then is no
 * failure.
 */
function createOidcAuthentication(auth: OidcAuth, log: Logger): Authentication {
  const issuer = createIssuer({ url: auth.issuer, log });
  issuer.documents().catch(() => {});
  const verified = createVerifiedTokens(auth.clockSkewMs);
  const verify = async (token: string) => {
    const { findKey } = await issuer.documents();
    if (verified.includes(token, findKey)) return;
    const { keys, times } = await verifyToken(token, issuer, auth);
    verified.add(token, keys, times);
  };
  return {
    async authorise(headers) {
      const [token, another] = bearerTokens(headers);
      if (token === undefined) {
        throw new SecretsError(
          "unauthenticated",
          `no token was sent: send the header "authorization: Bearer <token>" with a token that ${auth.issuer} has ` +
            `issued for the audience ${auth.audience}`,
        );
      }
      try {
        await verify(token);
      } catch (error) {
        if (another === undefined) throw error;
        await verify(another);
      }
    },
    handlers: {
      getOAuth2Metadata: async () => toOAuth2Metadata((await issuer.documents()).metadata),
      getPublicClientConfig: () => ({
        clientId: auth.clientId,
        redirectUri: auth.redirectUri,
        scopes: [...auth.scopes],
        authorizationMetadataKey: "authorization",
        audience: auth.audience,
      }),
    },
    issuerMetadata: async () => (await issuer.documents()).metadata,
    close: () => issuer.close(),
  };
}

function toOAuth2Metadata(metadata: IssuerMetadata) {
  return {
    issuer: metadata.issuer,
    jwksUri: metadata.jwks_uri,
    authorizationEndpoint: metadata.authorization_endpoint ?? "",
    tokenEndpoint: metadata.token_endpoint ?? "",
    deviceAuthorizationEndpoint: metadata.device_authorization_endpoint ?? "",
    responseTypesSupported: metadata.response_types_supported ?? [],
    scopesSupported: metadata.scopes_supported ?? [],
    tokenEndpointAuthMethodsSupported: metadata.token_endpoint_auth_methods_supported ?? [],
    codeChallengeMethodsSupported: metadata.code_challenge_methods_supported ?? [],
    grantTypesSupported: metadata.grant_types_supported ?? [],
  };
}
