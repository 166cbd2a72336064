import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { SecretService } from "@flyte-secrets/idl";
import { describe, expect, test } from "vitest";
import { type Received, send, sendHttp2 } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";
import { TRANSPORTS } from "./testing/transports.ts";

const LIST = "/secrets/api/v1";
const CREATE = "/flyteidl2.secret.SecretService/CreateSecret";
const config = { allowedHosts: ["127.0.0.1", "Secrets.example.com", "flyte-secrets.flyte.svc"] };

const REMEDY =
  "; with secret.auth.mode none a web page may not call: send requests to localhost or an IP address, " +
  "list other names of this server in secret.server.allowedHosts, or ask for a token";
const refusal = (problem: string) => [
  403,
  { code: "failed_precondition", message: `this request ${problem}${REMEDY}` },
];
const read = ({ status, body }: Received): unknown => [status, JSON.parse(body.toString())];

const OWN = [
  "localhost",
  "LOCALHOST:8093",
  "localhost.",
  "127.0.0.1:1",
  "127.9.9.9",
  "192.0.2.7:80",
  "[::1]:8093",
  "[::1]",
];
const LISTED = ["secrets.example.com", "SECRETS.example.com.:443", "flyte-secrets.flyte.svc:8093"];
const FOREIGN = [
  "evil.example:8093",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "evil.example#localhost",
  "user@localhost",
  "localhost:8093.evil.example",
  "x.secrets.example.com",
  "127.1",
  "0x7f000001",
  "[evil.example]",
  "a:b:c",
];

describe.each([
  ["HTTP/1.1", send, "host"],
  ["HTTP/2", sendHttp2, ":authority"],
])("over %s", (_, sendIt, header) => {
  test("a request is taken that was sent to an own name or address, on whichever port", async () => {
    const { url } = await startTestService({ config });
    for (const host of [...OWN, ...LISTED]) {
      expect([host, (await sendIt(url + LIST, { headers: { [header]: host } })).status]).toEqual([host, 200]);
    }
  });

  test("a request to any other name is refused, whatever it asks for, but health", async () => {
    const { url } = await startTestService({ config });
    // Node's HTTP/2 takes no such characters.
    for (const host of FOREIGN.filter((host) => sendIt === send || !/[#@]/.test(host))) {
      const headers = { [header]: host };
      const expected = refusal(`was sent to "${host}", which is no known name of this server`);
      expect(read(await sendIt(url + LIST, { headers }))).toEqual(expected);
      expect((await sendIt(`${url}/healthz`, { headers })).status).toBe(200);
      expect((await sendIt(`${url}/readyz`, { headers })).status).toBe(200);
    }
    for (const path of ["/metrics", "/none", "/.well-known/oauth-authorization-server", `${LIST}/name/x`, CREATE]) {
      const headers = { [header]: "evil.example" };
      expect((await sendIt(url + path, { headers })).status).toBe(403);
    }
  });

  test.each([
    { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "http://localhost:3000", "sec-fetch-site": "same-site" },
    { origin: "http://127.0.0.2:8093" },
    { origin: "http://127.0.0.1:7777", "sec-fetch-site": "same-site" },
    { origin: "chrome-extension://abcdefgh" },
  ])("a page of another origin is refused: %o", async (headers) => {
    const { url, store } = await startTestService({ config });
    const body = ['{"id":{"name":"k"},"secretSpec":{"stringValue":"v"}}'];
    const sent = { method: "POST", headers: { "content-type": "application/json", ...headers }, body };
    const expected = refusal(`comes from a web page of "${headers.origin}"`);
    expect(read(await sendIt(url + LIST, sent))).toEqual(expected);
    expect(read(await sendIt(url + CREATE, sent))).toEqual(expected);
    expect(await store.get({ org: "flyte", domain: "", project: "", name: "k" })).toBeUndefined();
  });

  test.each(["cross-site", "same-site"])("a page that loads something from %s is refused", async (site) => {
    const { url } = await startTestService({ config });
    const answer = await sendIt(url + LIST, { headers: { "sec-fetch-site": site } });
    expect(read(answer)).toEqual(refusal("comes from a web page of another site"));
  });

  test("a page of this server's own, or of a listed name, is taken, and so is an address typed in", async () => {
    const { url } = await startTestService({ config });
    for (const headers of [
      { "sec-fetch-site": "none" },
      { "sec-fetch-site": "same-origin" },
      { origin: url, "sec-fetch-site": "same-origin" },
      { origin: "https://secrets.example.com", [header]: "secrets.example.com" },
      { origin: "https://secrets.example.com:8443", "sec-fetch-site": "cross-site" },
    ]) {
      expect((await sendIt(url + LIST, { headers })).status).toBe(200);
    }
  });
});

test("HTTP/2 may not say one host in :authority and another in host", async () => {
  const { url } = await startTestService({ config });
  const headers = { ":authority": "localhost", host: "evil.example" };
  expect((await sendHttp2(url + LIST, { headers })).status).toBe(403);
});

test("HTTP/1.1 may not name two hosts either", async () => {
  const { port } = await startTestService({ config });
  for (const hosts of ["host: localhost\r\nHost: evil.example", "Host: evil.example\r\nhost: localhost"]) {
    const socket = connect(port, "127.0.0.1");
    socket.end(`GET ${LIST} HTTP/1.1\r\n${hosts}\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 403 /);
  }
});

test("a request without a host is taken: no browser sends one", async () => {
  const { port } = await startTestService({ config });
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET ${LIST} HTTP/1.0\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
});

test.each(Object.entries(TRANSPORTS))("%s is told why, and not to log in", async (_, createTransport) => {
  const { port } = await startTestService({ config });
  const client = createClient(SecretService, createTransport(`http://127.0.0.1:${port}`));
  const headers = { origin: "https://unauthorized.example" };
  const error = await client.listSecrets({}, { headers }).catch(ConnectError.from);
  expect(error).toMatchObject({
    code: Code.FailedPrecondition,
    rawMessage: `this request comes from a web page of "https://un-authorized.example"${REMEDY}`,
  });
});

test("foreign names are cut and escaped in the message", async () => {
  const { url } = await startTestService();
  const { body } = await send(url + LIST, { headers: { origin: `https://${"a".repeat(5000)}` } });
  expect(JSON.parse(body.toString()).message).toContain(`${"a".repeat(112)}…"; with`);
});

test("with credentials a page has none, so that neither name nor origin counts", async () => {
  const { url } = await startTestService({ config: { auth: { mode: "token", token: "t0ken" } } });
  const headers = { host: "any.example", origin: "https://other.example", authorization: "Bearer t0ken" };
  expect((await send(url + LIST, { headers })).status).toBe(200);
});
