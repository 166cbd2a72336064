import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rawRequest, sendRaw, statusOf } from "./send-raw.ts";

const LIST = "GET /secrets/api/v1?limit=1";

describe("serve --auth none", () => {
  let serve: ServeProcess;
  beforeAll(async () => {
    serve = await startServe({ args: ["--auth", "none"] });
  });
  afterAll(async () => {
    await serve.close();
  });
  const list = async (...hosts: string[]) =>
    statusOf(
      await sendRaw(
        serve.port,
        rawRequest(
          LIST,
          hosts.map((host) => `Host: ${host}`),
        ),
      ),
    );

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "localhost@evil.example",
    "evil.example#localhost",
    "evil.example?localhost",
    "evil.example/localhost",
    "evil.example\\localhost",
    "localhost:80:evil.example",
    "localhost, evil.example",
    "[::1",
    "::2",
    "0x7f.evil.example",
    "xn--lcalhost-31a",
    "loc\u00e4lhost",
    "localhost\u0000.evil.example",
    "localhost%2eevil.example",
  ])("the host %j is not ours", async (host) => {
    expect([400, 403]).toContain(await list(host));
  });

  // No page comes from a bare address by rebinding (decision 223).
  test.each(["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "169.254.169.254"])("the host %j is", async (host) => {
    expect([await list(host), await list(`${host}:${serve.port}`)]).toEqual([200, 200]);
  });

  test("a second host takes nothing back, and the name in the target is looked at too", async () => {
    expect(await list("evil.example", "localhost")).toBe(403);
    const absolute = rawRequest("GET http://evil.example/secrets/api/v1", ["Host: localhost"]);
    expect([400, 403, 404]).toContain(statusOf(await sendRaw(serve.port, absolute)));
  });

  test("line breaks in a name, a query or a header make no header of the answer", async () => {
    const injected = "%0d%0aset-cookie:%20stolen=1%0d%0a%0d%0a<script>";
    const answers = await Promise.all(
      [
        rawRequest(`GET /secrets/api/v1/name/${injected}`, ["Host: localhost"]),
        rawRequest(`GET /secrets/api/v1?token=${injected}&domain=${injected}`, ["Host: localhost"]),
        rawRequest(`GET /${injected}`, ["Host: localhost"]),
        rawRequest(`GET /.well-known/oauth-authorization-server?${injected}`, ["Host: localhost"]),
        rawRequest(
          "POST /flyteidl2.cluster.ClusterService/SelectCluster",
          [
            "Host: localhost",
            "content-type: application/json",
            "x-forwarded-host: evil.example",
            "forwarded: host=evil.example",
          ],
          "{}",
        ),
      ].map((request) => sendRaw(serve.port, request)),
    );
    for (const answer of answers) {
      const [head = ""] = answer.split("\r\n\r\n", 1);
      expect(statusOf(answer)).toBeGreaterThanOrEqual(200);
      expect(head).not.toMatch(/set-cookie|text\/html/i);
      expect(answer).not.toContain("evil.example");
    }
  });
});

test("on an IPv6 address it names itself in brackets, and asks for the token like elsewhere", async () => {
  const serve = await startServe({ args: ["--host", "::1"] });
  try {
    expect(serve.endpoint).toBe(`http://[::1]:${serve.port}`);
    expect(statusOf(await sendRaw(serve.port, rawRequest(LIST, ["Host: [::1]"]), "::1"))).toBe(401);
  } finally {
    await serve.close();
  }
});
