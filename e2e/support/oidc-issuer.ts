import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";

/** A real OpenID Connect issuer on this machine, with a client for machines and one for people. */
export interface OidcIssuer {
  readonly url: string;
  /** What its tokens are for. */
  readonly audience: string;
  /** A client that gets tokens with its secret (RFC 6749 section 4.4). */
  readonly machine: { readonly clientId: string; readonly clientSecret: string };
  /** A public client for the device flow (RFC 8628). */
  readonly device: { readonly clientId: string };
  /** The scope that clients may ask for. */
  readonly scope: string;
  /** A token for the machine client. */
  requestToken(): Promise<string>;
  /** Does what a person does in the browser at the address that the device shows: signs in and agrees. */
  approve(address: string): Promise<void>;
  close(): Promise<void>;
}

const AUDIENCE = "flyte-secrets-e2e";
const SCOPE = "secrets";
const machine = { clientId: "robot", clientSecret: "the-robots-own-key-of-this-test" };
const device = { clientId: "flyte-cli" };

/** Starts one on a free port, with a key of its own. */
export async function startOidcIssuer(): Promise<OidcIssuer> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
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
        client_id: device.clientId,
        token_endpoint_auth_method: "none",
        application_type: "native",
        grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        redirect_uris: [],
        response_types: [],
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
    device,
    scope: SCOPE,
    async requestToken() {
      const form = { grant_type: "client_credentials", scope: SCOPE };
      const authorization = `Basic ${btoa(`${machine.clientId}:${machine.clientSecret}`)}`;
      const body = new URLSearchParams(form);
      const answer = await fetch(`${url}/token`, { method: "POST", headers: { authorization }, body });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      return token;
    },
    approve,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A browser as far as needed: keeps cookies, follows redirections, and sends every form that it is shown. */
async function approve(address: string): Promise<void> {
  const cookies = new Map<string, string>();
  let next: { url: string; body?: URLSearchParams } = { url: address };
  for (let step = 0; step < 20; step++) {
    const { url, body } = next;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const init = { redirect: "manual", headers: { cookie } } as const;
    const answer = await fetch(url, body === undefined ? init : { ...init, method: "POST", body });
    for (const [pair = ""] of answer.headers.getSetCookie().map((line) => line.split(";"))) {
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    const page = await answer.text();
    if (location !== null) next = { url: new URL(location, url).href };
    else if (page.includes("Sign-in Success")) return;
    else next = fillIn(page, url);
  }
  throw new Error("the issuer shows one form after the other");
}

function fillIn(page: string, url: string): { url: string; body: URLSearchParams } {
  const form = /<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/s.exec(page);
  if (form === null) throw new Error(`no form and no success:\n${page}`);
  const fields = [...(form[2] ?? "").matchAll(/<input[^>]*>/g)].map(([input]): [string, string] => {
    const attribute = (name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(input)?.[1];
    return [attribute("name") ?? "", attribute("value") ?? "someone"];
  });
  return { url: new URL(form[1] ?? "", url).href, body: new URLSearchParams(fields) };
}
