import { SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { OidcAuth } from "../service-options.ts";
import { type Authentication, bearerTokens } from "./authentication.ts";
import { createIssuer } from "./issuer.ts";
import type { IssuerMetadata } from "./issuer-documents.ts";
import { verifyToken } from "./verify-token.ts";

/**
 * Signed tokens of an OpenID Connect (or plain OAuth 2) issuer, to which clients are directed by its own metadata. The
 * issuer's documents are fetched at once, so that the first call need not wait; an issuer that is down then is no
 * failure.
 */
export function createOidcAuthentication(auth: OidcAuth, log: Logger): Authentication {
  const issuer = createIssuer({ url: auth.issuer, log });
  issuer.documents().catch(() => {});
  return {
    async authorise(headers) {
      const [token, another] = bearerTokens(headers);
      if (token === undefined) {
        throw new SecretsError(
          "unauthenticated",
          `no token was sent: send the header "authorization: Bearer <token>" with a token that ${auth.issuer} has issued for ` +
            `the audience ${auth.audience}`,
        );
      }
      try {
        await verifyToken(token, issuer, auth);
      } catch (error) {
        if (another === undefined) throw error;
        await verifyToken(another, issuer, auth);
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
