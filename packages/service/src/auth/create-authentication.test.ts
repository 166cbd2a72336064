import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { SecretService } from "@flyte-secrets/idl";
import { describe, expect, test } from "vitest";
import { send } from "../testing/send.ts";
import { startTestService } from "../testing/start-test-service.ts";

const TOKEN = "t0ken-of-this-test";
const withToken = { config: { auth: { mode: "token", token: TOKEN } } } as const;
const LIST = "/flyteidl2.secret.SecretService/ListSecrets";
const SELECT = "/flyteidl2.cluster.ClusterService/SelectCluster";
const CLIENT_CONFIG = "/flyteidl2.auth.AuthMetadataService/GetPublicClientConfig";
const METADATA = "/flyteidl2.auth.AuthMetadataService/GetOAuth2Metadata";
const json = { "content-type": "application/json" };
const remedy = 'send the header "authorization: Bearer <token>" with the token of this server';

const post = (url: string, headers: Record<string, string> = {}) =>
  send(url, { method: "POST", headers: { ...json, ...headers }, body: ["{}"] });

describe("with a token", () => {
  test.each([
    ["authorization", `Bearer ${TOKEN}`],
    ["authorization", `bearer  ${TOKEN} `],
    ["proxy-authorization", `Bearer ${TOKEN}`],
  ])("lets a caller in who sends %s: %s", async (name, value) => {
    const { url } = await startTestService(withToken);
    expect((await post(url + LIST, { [name]: value })).status).toBe(200);
  });

  test("takes the token of either header", async () => {
    const { url } = await startTestService(withToken);
    const headers = { authorization: "Basic dTpw", "proxy-authorization": `Bearer ${TOKEN}` };
    expect((await post(url + LIST, headers)).status).toBe(200);
  });

  test.each([
    ["no header", {}, "no token was sent"],
    ["another scheme", { authorization: `Basic ${TOKEN}` }, "no token was sent"],
    ["an empty token", { authorization: "Bearer " }, "no token was sent"],
    ["a wrong token", { authorization: "Bearer wrong" }, "the token is wrong"],
    ["the start of the token", { authorization: `Bearer ${TOKEN.slice(0, -1)}` }, "the token is wrong"],
  ])("refuses %s, and says what to do", async (_, headers, problem) => {
    const { url, log } = await startTestService(withToken);
    for (const path of [LIST, SELECT]) {
      const answer = await post(url + path, { ...headers });
      expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([
        401,
        { code: "unauthenticated", message: `${problem}: ${remedy}` },
      ]);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
    }
    expect(JSON.stringify(log)).not.toContain(TOKEN.slice(0, -1));
  });

  test("takes the token as it is now, where it may change", async () => {
    let token = TOKEN;
    const { url } = await startTestService({ config: { auth: { mode: "token", token: () => token } } });
    const statusWith = async (sent: string) => (await post(url + LIST, { authorization: `Bearer ${sent}` })).status;
    expect(await statusWith(TOKEN)).toBe(200);
    token = "an0ther-t0ken";
    expect([await statusWith(TOKEN), await statusWith(token)]).toEqual([401, 200]);
  });

  test("refuses over gRPC too", async () => {
    const { url } = await startTestService(withToken);
    const client = createClient(SecretService, createGrpcTransport({ baseUrl: url, idleConnectionTimeoutMs: 100 }));
    expect(await client.listSecrets({}).catch(ConnectError.from)).toMatchObject({ code: Code.Unauthenticated });
  });

  test("refuses before it reads the body", async () => {
    const { url } = await startTestService(withToken);
    expect((await send(url + LIST, { method: "POST", headers: json, body: ["no JSON"] })).status).toBe(401);
  });

  test("tells how to authenticate without credentials, by Connect GET too", async () => {
    const { url } = await startTestService(withToken);
    expect(JSON.parse((await post(url + CLIENT_CONFIG)).body.toString())).toEqual({
      authorizationMetadataKey: "authorization",
    });
    expect(JSON.parse((await post(url + METADATA)).body.toString())).toEqual({});
    const get = await send(`${url}${CLIENT_CONFIG}?connect=v1&encoding=json&message=%7B%7D`);
    expect([get.status, JSON.parse(get.body.toString())]).toEqual([200, { authorizationMetadataKey: "authorization" }]);
    const wellKnown = await send(`${url}/.well-known/oauth-authorization-server`);
    expect([wellKnown.status, JSON.parse(wellKnown.body.toString())]).toEqual([
      404,
      {
        code: "unimplemented",
        message: "there is no OAuth 2 issuer behind this server: send its own token as a bearer token",
      },
    ]);
  });

  test("answers health checks without credentials", async () => {
    const { url } = await startTestService(withToken);
    expect((await send(`${url}/healthz`)).status).toBe(200);
    expect((await send(`${url}/readyz`)).status).toBe(200);
  });
});

test("without authentication there is nothing to configure", async () => {
  const { url } = await startTestService();
  const answer = await post(url + CLIENT_CONFIG);
  expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([
    501,
    { code: "unimplemented", message: "this server asks for no credentials: there is nothing to configure" },
  ]);
});

test("no other error sounds like a request to log in, whatever a secret is called", async () => {
  const { url } = await startTestService();
  const answer = await send(`${url}/secrets/api/v1/name/Unauthorized-or-unauthenticated`);
  expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([
    404,
    { code: "not_found", message: "secret Un-authorized-or-un-authenticated not found" },
  ]);
  const unknown = await post(`${url}/x.Unauthenticated/Call`);
  expect(unknown.body.toString()).not.toMatch(/unauthenticated/i);
});
