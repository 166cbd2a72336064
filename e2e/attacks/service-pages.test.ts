// What a web page in the browser of whoever runs the service can send, and what the service tells anybody. Letters are
// those of the attack report; rows with + are neighbours.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AttackRequest, sendHttp1, sendHttp2 } from "./attacked-service.ts";

const CREATE = "/flyteidl2.secret.SecretService/CreateSecret";
const DELETE = "/flyteidl2.secret.SecretService/DeleteSecret";
const REST = "/secrets/api/v1";
const JSON_TYPE = { "content-type": "application/json" };
const FOREIGN_PAGE = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };

const body = JSON.stringify({
  id: { name: "openai-base-url" },
  secretSpec: { stringValue: "https://evil.example/v1" },
});
/** The same as protobuf in gRPC's envelope. */
const message = Buffer.from([0, 0, 0, 0, 8, 0x0a, 1, 0x1a, 1, 0x6b, 0x12, 1, 0]);

describe("a service with --auth none", () => {
  let serve: ServeProcess;
  beforeAll(async () => {
    serve = await startServe({ args: ["--auth", "none", "--secret.server.allowedHosts", "secrets.test"] });
    const own = await sendHttp1(serve.endpoint, {
      path: CREATE,
      headers: JSON_TYPE,
      body: body.replace("openai-base-url", "own"),
    });
    expect(own.status).toBe(200);
  });
  afterAll(() => serve?.close());

  /** Sends it over both versions of HTTP, and expects the same of both. */
  async function attempt(request: AttackRequest): Promise<number> {
    const { status } = await sendHttp1(serve.endpoint, request);
    const headers = { ...request.headers };
    if (headers.host !== undefined) headers[":authority"] = headers.host;
    delete headers.host;
    const [overHttp2] = await sendHttp2(serve.endpoint, [{ ...request, headers }]);
    expect(overHttp2?.status).toBe(status);
    return status;
  }

  async function names(): Promise<string[]> {
    const answer = await fetch(`${serve.endpoint}${REST}`);
    const { secrets } = (await answer.json()) as { secrets: { id: { name: string } }[] };
    return secrets.map(({ id }) => id.name);
  }

  test.each<[string, number, AttackRequest]>([
    ["H2: a POST without a content type", 415, { path: REST, body }],
    ["H2: the same from a page of another site", 403, { path: REST, headers: FOREIGN_PAGE, body }],
    ["H2: JSON from a page of another site", 403, { path: REST, headers: { ...JSON_TYPE, ...FOREIGN_PAGE }, body }],
    [
      "H2: Connect from a page of another site",
      403,
      { path: CREATE, headers: { ...JSON_TYPE, ...FOREIGN_PAGE }, body },
    ],
    [
      "H2: a delete by a rebound name",
      403,
      { path: DELETE, headers: { ...JSON_TYPE, host: "evil.example:8093" }, body: '{"id":{"name":"own"}}' },
    ],
    ["H2: a list by a rebound name", 403, { path: REST, method: "GET", headers: { host: "evil.example:8093" } }],
    [
      "+ REST's delete by a rebound name",
      403,
      { path: `${REST}/name/own`, method: "DELETE", headers: { host: "evil.example" } },
    ],
    ["+ REST's update without a content type", 415, { path: `${REST}/name/own`, method: "PUT", body }],
    ["+ a form", 415, { path: REST, headers: { "content-type": "application/x-www-form-urlencoded" }, body }],
    ["+ a form with files", 415, { path: REST, headers: { "content-type": "multipart/form-data; boundary=b" }, body }],
    [
      "+ plain text that mentions JSON",
      415,
      { path: CREATE, headers: { "content-type": "text/plain; x=application/json" }, body },
    ],
    [
      "+ two content types in one",
      415,
      { path: REST, headers: { "content-type": "text/plain, application/json" }, body },
    ],
    ["+ a page without an origin of its own", 403, { path: CREATE, headers: { ...JSON_TYPE, origin: "null" }, body }],
    [
      "+ a page on another port of this machine",
      403,
      { path: CREATE, headers: { ...JSON_TYPE, origin: "http://localhost:3000" }, body },
    ],
    [
      "+ a page of a sibling name",
      403,
      { path: CREATE, headers: { ...JSON_TYPE, "sec-fetch-site": "same-site" }, body },
    ],
    [
      "+ a name that begins like an own one",
      403,
      { path: REST, method: "GET", headers: { host: "localhost.evil.example" } },
    ],
    [
      "+ a name that begins like an address",
      403,
      { path: REST, method: "GET", headers: { host: "127.0.0.1.evil.example" } },
    ],
    ["+ a name below a listed one", 403, { path: REST, method: "GET", headers: { host: "x.secrets.test" } }],
    ["+ metrics by a rebound name", 403, { path: "/metrics", method: "GET", headers: { host: "evil.example" } }],
    [
      "+ the question before a request of another origin",
      403,
      { path: REST, method: "OPTIONS", headers: { origin: "https://evil.example" } },
    ],
    ["health by any name", 200, { path: "/healthz", method: "GET", headers: { host: "10-1-2-3.pod" } }],
    ["a list by a listed name", 200, { path: REST, method: "GET", headers: { host: "secrets.test:8093" } }],
    ["a list by address", 200, { path: REST, method: "GET", headers: { host: "192.0.2.1" } }],
    ["a list by localhost", 200, { path: REST, method: "GET", headers: { host: "localhost" } }],
  ])("%s is %d", async (_, status, request) => {
    expect(await attempt(request)).toBe(status);
    expect(await names()).toEqual(["own"]);
  });

  test.each(["application/grpc", "application/grpc-web"])("H2: %s is refused in its own way", async (contentType) => {
    const headers = { "content-type": contentType, te: "trailers" };
    for (const foreign of [FOREIGN_PAGE, { ":authority": "evil.example" }]) {
      const [answer] = await sendHttp2(serve.endpoint, [
        { path: CREATE, headers: { ...headers, ...foreign }, body: message },
      ]);
      expect(answer).toEqual({ status: 200, code: "9" });
    }
    expect(await names()).toEqual(["own"]);
  });

  test.each([
    ["H2: a whole address as target", `GET http://evil.example${REST} HTTP/1.1\r\nhost: localhost\r\n\r\n`, "404"],
    [
      "+ a whole address as target, by a rebound name",
      `GET http://localhost${REST} HTTP/1.1\r\nhost: evil.example\r\n\r\n`,
      "403",
    ],
    ["+ two hosts", `GET ${REST} HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n`, "403"],
    ["+ a host in two lines", `GET ${REST} HTTP/1.1\r\nhost: localhost\r\n .evil.example\r\n\r\n`, "400"],
  ])("%s is refused", async (_, bytes, status) => {
    const socket = connect(serve.port, "127.0.0.1");
    socket.end(bytes);
    expect(await text(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test("+ HTTP/2 with one host in :authority and another in host is refused", async () => {
    const headers = { ":authority": "localhost", host: "evil.example" };
    const [answer] = await sendHttp2(serve.endpoint, [{ path: REST, method: "GET", headers }]);
    expect(answer?.status).toBe(403);
  });

  test.each([
    ["Connect", CREATE],
    ["REST", REST],
  ])("L3: a type of secret that there isn't is refused over %s", async (_, path) => {
    const typed = (type: string) => `{"id":{"name":"t"},"secretSpec":{"type":"${type}","stringValue":"v"},"future":1}`;
    for (const type of ["SECRET_TYPE_IMAGE_PUL", "secret_type_generic", "", "0"]) {
      expect(await sendHttp1(serve.endpoint, { path, headers: JSON_TYPE, body: typed(type) })).toEqual({
        status: 400,
        code: "invalid_argument",
      });
    }
    expect(await names()).toEqual(["own"]);
  });
});

test("L7: readiness names no path", async () => {
  const serve = await startServe();
  const store = join(serve.directory, "store");
  try {
    rmSync(store, { recursive: true });
    mkdirSync(store, { mode: 0o755 });
    await expect.poll(async () => (await fetch(`${serve.endpoint}/readyz`)).status, { timeout: 20_000 }).toBe(503);
    expect(await (await fetch(`${serve.endpoint}/readyz`)).text()).not.toContain("/");
  } finally {
    await serve.close();
  }
});

test.each([
  ["16 of one letter", "a".repeat(16)],
  ["+ 64 of one letter", "a".repeat(64)],
  ["+ a short word again and again", "changeme".repeat(8)],
])("L7: a token of %s is not started with", async (_, token) => {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-token-"));
  try {
    const file = join(directory, "token");
    writeFileSync(file, token, { mode: 0o600 });
    await expect(startServe({ args: ["--secret.auth.tokenFile", file] })).rejects.toThrow(
      /hard to guess.*openssl rand -hex 32/s,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
