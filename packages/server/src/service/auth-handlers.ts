import type { ServiceImpl } from "@connectrpc/connect";
import { SecretsError } from "@flyte-secrets/core";
import type { AuthMetadataService } from "@flyte-secrets/idl";
import type { ServiceAuth } from "./service-config.ts";

/**
 * How clients are to authenticate. With one fixed token there is no issuer, so the OAuth 2 metadata names no endpoint; it is an
 * answer nevertheless, since Flyte's clients ask for both and give up when either fails. Without authentication: `unimplemented`.
 */
export function createAuthHandlers(auth: ServiceAuth): ServiceImpl<typeof AuthMetadataService> {
  const answer = <T>(message: T) => {
    if (auth.mode === "none") {
      throw new SecretsError("unimplemented", "this server asks for no credentials: there is nothing to configure");
    }
    return message;
  };
  return {
    getOAuth2Metadata: () => answer({}),
    getPublicClientConfig: () => answer({ authorizationMetadataKey: "authorization" }),
  };
}
