import type { Config } from "@flyte-secrets/config";
import type { ServiceAuth, ServiceOptions } from "@flyte-secrets/service";

/** What the configuration names a place of, once it is read. */
export interface ServiceCredentials {
  /** The token of `secret.auth.tokenFile`, where `secret.auth.mode` is token. */
  readonly token: () => string;
  /** The token of the webhook's `/invalidate-secret`, if it has one. */
  readonly webhookToken: string | undefined;
}

/** The options of the service that `secret` describes, without the socket of a data directory. */
export function toServiceOptions(
  { secret }: Pick<Config, "secret">,
  { token, webhookToken }: ServiceCredentials,
): ServiceOptions {
  const { server, auth, organization, webhookURL } = secret;
  return {
    organization,
    auth: serviceAuth(auth, token),
    webhookURL,
    webhookToken,
    allowedHosts: [server.host, ...server.allowedHosts],
    maxBodyBytes: server.limits.bodyBytes,
    maxRequests: server.limits.requests,
    allowUnauthenticatedNetwork: auth.allowUnauthenticatedNetwork,
    listener: {
      host: server.host,
      port: server.port,
      maxConnections: server.limits.connections,
      maxConnectionsPerAddress: server.limits.connectionsPerAddress,
      probeAddress: server.probeBindAddress,
      metricsAddress: server.metricsBindAddress,
    },
  };
}

function serviceAuth({ mode, oidc }: Config["secret"]["auth"], token: () => string): ServiceAuth {
  switch (mode) {
    case "none":
      return { mode };
    case "token":
      return { mode, token };
    case "oidc": {
      const { clockSkew, ...rest } = oidc;
      return { mode, clockSkewMs: clockSkew, ...rest };
    }
  }
}
