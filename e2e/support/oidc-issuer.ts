import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";
import { freePort } from "../kubernetes/cluster.ts";

/** A real OpenID Connect issuer on this machine, with a client for machines and one for people. */
export interface OidcIssuer {
  readonly url: string;
  /** What its tokens are for. */
  readonly audience: string;
  /** A client that gets tokens with its secret (RFC 6749 section 4.4). */
  readonly machine: { readonly clientId: string; readonly clientSecret: string };
  /**
   * A public client for people, who sign in by the device flow (RFC 8628) or in a browser on their machine (RFC 8252).
   */
  readonly people: { readonly clientId: string; readonly redirectUri: string };
  /** The scope that clients may ask for. */
  readonly scope: string;
  /** A token for the machine client. */
  requestToken(): Promise<string>;
  close(): Promise<void>;
}

const AUDIENCE = "flyte-secrets-e2e";
const SCOPE = "secrets";
const machine = { clientId: "robot", clientSecret: "the-robots-own-key-of-this-test" };

/** Starts one on a free port, with a key of its own. */
export async function startOidcIssuer(): Promise<OidcIssuer> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  const people = { clientId: "flyte-cli", redirectUri: `http://127.0.0.1:${await freePort()}/callback` };
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(url, {
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "e2e", use: "sig" }] },
    cookies: { keys: ["of-this-test"] },
    scopes: ["openid", "offline_access", SCOPE],
    clients: [
      {
        client_id: machine.clientId,
        client_secret: machine.clientSecret,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: people.clientId,
        token_endpoint_auth_method: "none",
        application_type: "native",
        grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "authorization_code", "refresh_token"],
        redirect_uris: [people.redirectUri],
        response_types: ["code"],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "urn:flyte-secrets",
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ audience: AUDIENCE, scope: SCOPE, accessTokenFormat: "jwt" }),
      },
    },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  });
  server.on("request", provider.callback());
  return {
    url,
    audience: AUDIENCE,
    machine,
    people,
    scope: SCOPE,
    async requestToken() {
      const form = { grant_type: "client_credentials", scope: SCOPE };
      const authorization = `Basic ${btoa(`${machine.clientId}:${machine.clientSecret}`)}`;
      const body = new URLSearchParams(form);
      const answer = await fetch(`${url}/token`, { method: "POST", headers: { authorization }, body });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      return token;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
