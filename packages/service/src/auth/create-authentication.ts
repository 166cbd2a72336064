import { createHash, timingSafeEqual } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { ServiceAuth, TokenAuth } from "../service-options.ts";
import { type Authentication, bearerTokens } from "./authentication.ts";
import { createOidcAuthentication } from "./oidc-authentication.ts";

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
 * clients request both documents and give up when either fails. The comparison takes constant time.
 */
function createTokenAuthentication(token: TokenAuth["token"]): Authentication {
  return {
    authorise(headers) {
      const tokens = bearerTokens(headers);
      const expected = digest(typeof token === "string" ? token : token());
      if (tokens.some((sent) => timingSafeEqual(digest(sent), expected))) return;
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

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
