import { describe, expect, test } from "vitest";
import { send } from "../testing/send.ts";
import { startTestService } from "../testing/start-test-service.ts";
import { startIssuer } from "./testing/start-issuer.ts";

const SERVICE = "/flyteidl2.auth.AuthMetadataService";
const json = { "content-type": "application/json" };

async function startBoth() {
  const issuer = await startIssuer({
    metadata: { device_authorization_endpoint: "https://issuer.example/device", grant_types_supported: ["password"] },
  });
  const auth = {
    mode: "oidc",
    issuer: issuer.url,
    audience: "secrets",
    clockSkewMs: 0,
    clientId: "flyte-cli",
    redirectUri: "http://localhost:53593/callback",
    scopes: ["secrets"],
  } as const;
  return { issuer, ...(await startTestService({ config: { auth } })) };
}

async function call(url: string, headers: Record<string, string> = {}) {
  const { status, body } = await send(url, { method: "POST", headers: { ...json, ...headers }, body: ["{}"] });
  return { status, body: JSON.parse(body.toString()) };
}

describe("with an issuer", () => {
  test.each(["authorization", "proxy-authorization"])("lets a caller in with a token of it in %s", async (header) => {
    const { issuer, url } = await startBoth();
    const list = `${url}/flyteidl2.secret.SecretService/ListSecrets`;
    expect(await call(list, { [header]: `Bearer ${await issuer.sign()}` })).toEqual({ status: 200, body: {} });
  });

  test("refuses everybody else, over REST too, and neither answer nor log has the token", async () => {
    const { issuer, url, log } = await startBoth();
    const remedy = `that ${issuer.url} has issued for the audience secrets`;
    const token = await issuer.sign({ aud: "other" });
    for (const path of [
      "/flyteidl2.secret.SecretService/ListSecrets",
      "/flyteidl2.cluster.ClusterService/SelectCluster",
    ]) {
      expect(await call(url + path)).toEqual({
        status: 401,
        body: {
          code: "unauthenticated",
          message: `no token was sent: send the header "authorization: Bearer <token>" with a token ${remedy}`,
        },
      });
      expect(await call(url + path, { authorization: `Bearer ${token}` })).toEqual({
        status: 401,
        body: { code: "unauthenticated", message: `the token is for another audience: send one ${remedy}` },
      });
    }
    expect((await send(`${url}/secrets/api/v1`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
    expect(JSON.stringify(log)).not.toContain(token);
  });

  test("of two tokens one has to be good, whichever it is", async () => {
    const { issuer, url } = await startBoth();
    const list = `${url}/flyteidl2.secret.SecretService/ListSecrets`;
    const [good, bad, worse] = [await issuer.sign(), await issuer.sign({ aud: "other" }), "opaque"];
    const status = async (one: string, other: string) =>
      (await call(list, { authorization: `Bearer ${one}`, "proxy-authorization": `Bearer ${other}` })).status;
    expect([await status(good, bad), await status(bad, good), await status(worse, good)]).toEqual([200, 200, 200]);
    expect([await status(bad, worse), await status(worse, bad), await status(bad, bad)]).toEqual([401, 401, 401]);
  });

  test("tells clients where to get a token, from what the issuer publishes, without credentials and by GET too", async () => {
    const { issuer, url } = await startBoth();
    const metadata = {
      issuer: issuer.url,
      jwksUri: `${issuer.url}/keys`,
      tokenEndpoint: `${issuer.url}/token`,
      deviceAuthorizationEndpoint: "https://issuer.example/device",
      grantTypesSupported: ["password"],
    };
    expect(await call(`${url}${SERVICE}/GetOAuth2Metadata`)).toEqual({ status: 200, body: metadata });
    const get = await send(`${url}${SERVICE}/GetOAuth2Metadata?connect=v1&encoding=json&message=%7B%7D`);
    expect(JSON.parse(get.body.toString())).toEqual(metadata);
    expect(await call(`${url}${SERVICE}/GetPublicClientConfig`)).toEqual({
      status: 200,
      body: {
        clientId: "flyte-cli",
        redirectUri: "http://localhost:53593/callback",
        scopes: ["secrets"],
        authorizationMetadataKey: "authorization",
        audience: "secrets",
      },
    });
    const wellKnown = await send(`${url}/.well-known/oauth-authorization-server`);
    expect([wellKnown.status, wellKnown.headers["content-type"]]).toEqual([200, "application/json"]);
    expect(JSON.parse(wellKnown.body.toString())).toEqual({
      issuer: issuer.url,
      jwks_uri: `${issuer.url}/keys`,
      token_endpoint: `${issuer.url}/token`,
      device_authorization_endpoint: "https://issuer.example/device",
      grant_types_supported: ["password"],
    });
  });

  test("starts while the issuer is down, and is unavailable until it is there", async () => {
    const issuer = await startIssuer();
    await issuer.goDown();
    const auth = {
      mode: "oidc",
      issuer: issuer.url,
      audience: "a",
      clockSkewMs: 0,
      clientId: "",
      redirectUri: "",
      scopes: [],
    } as const;
    const { url } = await startTestService({ config: { auth } });
    const list = `${url}/flyteidl2.secret.SecretService/ListSecrets`;
    expect(await call(list, { authorization: `Bearer ${await issuer.sign()}` })).toMatchObject({
      status: 503,
      body: { code: "unavailable" },
    });
    expect((await send(`${url}/.well-known/oauth-authorization-server`)).status).toBe(503);
    expect((await send(`${url}/healthz`)).status).toBe(200);
  });
});
