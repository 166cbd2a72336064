import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, systemClock } from "@flyte-secrets/core";
import { pino } from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createIssuer } from "./issuer.ts";
import { startIssuer } from "./testing/start-issuer.ts";
import { verifyToken } from "./verify-token.ts";

const MINUTE_MS = 60_000;

function handClock(): Clock & { pass(ms: number): void } {
  let elapsedMs = 0;
  return {
    ...systemClock,
    elapsed: () => elapsedMs,
    pass(ms) {
      elapsedMs += ms;
    },
  };
}

function open(url: string) {
  const clock = handClock();
  const issuer = createIssuer({ url, clock, log: pino({ enabled: false }) });
  const rules = { issuer: url, audience: "secrets", clockSkewMs: 30_000 };
  return { clock, issuer, verify: (token: string) => verifyToken(token, issuer, rules) };
}

const outcome = (check: Promise<unknown>) =>
  check.then(
    () => "good",
    (error) => `${error.code}: ${error.message}`,
  );

describe("createIssuer", () => {
  it("reads the documents once for any number of tokens at once", async () => {
    const server = await startIssuer();
    const { verify } = open(server.url);
    const tokens = await Promise.all([1, 2, 3].map(() => server.sign()));
    await Promise.all(tokens.map(verify));
    await verify(await server.sign());
    expect(server.requests).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  it("takes RFC 8414's document where OpenID Connect's is not there", async () => {
    const server = await startIssuer({ metadataPath: "/.well-known/oauth-authorization-server" });
    await open(server.url).verify(await server.sign());
    expect(server.requests).toContain("/.well-known/oauth-authorization-server");
  });

  it("takes a token of a new key, and none of the old one from then on", async () => {
    const server = await startIssuer();
    const { clock, verify } = open(server.url);
    const old = await server.sign();
    await verify(old);
    await server.rotate();
    clock.pass(MINUTE_MS);
    await verify(await server.sign());
    expect(await outcome(verify(old))).toMatch(/^unauthenticated: the token is signed with a key that its issuer does/);
  });

  it("says where TLS met plain HTTP", async () => {
    const server = await startIssuer();
    const { issuer } = open(server.url.replace("http:", "https:"));
    expect(await outcome(issuer.documents())).toContain("cannot be reached (it does not speak TLS)");
  });

  it("ignores entries of the key set that lack what makes them a key", async () => {
    const otherKeys = [
      { kid: "odd" },
      { kty: 5 },
      { kty: "RSA", e: "AQAB" },
      { kty: "EC", crv: "P-256", x: "x" },
      { kty: "AKP", pub: "x" },
      null,
      "key",
    ];
    const server = await startIssuer({ otherKeys });
    const { verify } = open(server.url);
    await verify(await server.sign());
  });

  it("asks the issuer for an unknown key at most every 30 s", async () => {
    const server = await startIssuer();
    const { clock, verify } = open(server.url);
    await verify(await server.sign());
    await server.rotate();
    const asked = server.requests.length;
    for (let n = 0; n < 5; n++) expect(await outcome(verify(await server.sign()))).toMatch(/^unauthenticated: /);
    expect(server.requests.length).toBe(asked);
    clock.pass(31_000);
    await verify(await server.sign());
  });

  it("reads the keys again after 10 minutes beside the calls, so that a withdrawn key is no longer good", async () => {
    const server = await startIssuer();
    const { clock, verify } = open(server.url);
    const old = await server.sign();
    await verify(old);
    await server.rotate();
    clock.pass(10 * MINUTE_MS - 1);
    await verify(old);
    expect(server.requests).toHaveLength(2);
    clock.pass(1);
    await verify(old);
    await vi.waitFor(async () => expect(await outcome(verify(old))).toMatch(/^unauthenticated: /), 60_000);
    expect(server.requests).toHaveLength(4);
  });

  it("asks an issuer that fails at most every 5 s, whoever calls", async () => {
    const server = await startIssuer({ metadata: { issuer: "https://other.example" } });
    const { clock, verify } = open(server.url);
    const token = await server.sign();
    for (let call = 0; call < 5; call++) {
      expect(await outcome(verify(token))).toMatch(/^issuer_unavailable: /);
      clock.pass(1_000 - 1);
    }
    expect(server.requests).toHaveLength(1);
    clock.pass(5);
    expect(await outcome(verify(token))).toMatch(/^issuer_unavailable: /);
    expect(server.requests).toHaveLength(2);
  });

  it.each(["/.well-known/openid-configuration", "/keys"])("does not follow a redirection of %s", async (path) => {
    const server = await startIssuer({ redirected: [path] });
    expect(await outcome(open(server.url).issuer.documents())).toMatch(/^issuer_unavailable: .*cannot be reached/);
    expect(server.requests.filter((asked) => asked.startsWith("/moved"))).toEqual([]);
  });

  it.each([
    "/.well-known/openid-configuration",
    "/keys",
  ])("takes no document that comes with a failure, such as %s", async (path) => {
    const server = await startIssuer({ failing: [path] });
    expect(await outcome(open(server.url).issuer.documents())).toMatch(/^issuer_unavailable: .* answers 500$/);
  });

  it("goes on with the keys in memory while the issuer is down, for as long as it is", async () => {
    const server = await startIssuer();
    const { clock, verify } = open(server.url);
    await verify(await server.sign());
    await server.goDown();
    for (let hour = 0; hour < 48; hour++) {
      clock.pass(60 * MINUTE_MS);
      await verify(await server.sign());
    }
  });

  it("refuses a token of an unknown key while the issuer is down: it is the token that is wrong", async () => {
    const server = await startIssuer();
    const { clock, verify } = open(server.url);
    await verify(await server.sign());
    await server.rotate();
    await server.goDown();
    clock.pass(MINUTE_MS);
    expect(await outcome(verify(await server.sign()))).toMatch(/^unauthenticated: /);
  });

  it("is unavailable, not a request to log in, as long as no keys were read; and works once the issuer is there", async () => {
    const server = await startIssuer();
    const { clock, verify } = open(server.url);
    const token = await server.sign();
    await server.goDown();
    expect(await outcome(verify(token))).toBe(
      `issuer_unavailable: tokens cannot be checked now: the issuer ${server.url} gave no usable documents: ` +
        `${server.url}/.well-known/openid-configuration cannot be reached (ECONNREFUSED)`,
    );
    await server.comeBack();
    clock.pass(6_000);
    await verify(token);
  });

  it("ends what is in flight when it is closed, without a warning of an issuer that could not be read", async () => {
    let asked = () => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await using silent = createServer(() => asked());
    onTestFinished(() => silent.closeAllConnections());
    await once(silent.listen(0, "127.0.0.1"), "listening");
    const { port } = silent.address() as AddressInfo;
    const logged: string[] = [];
    const log = pino({ level: "trace" }, { write: (line) => void logged.push(line) });
    const issuer = createIssuer({ url: `http://127.0.0.1:${port}`, log });
    const [first, second] = [outcome(issuer.documents()), outcome(issuer.renewedDocuments())];
    await isAsked;
    issuer.close();
    expect([await first, await second]).toEqual(Array(2).fill("canceled: the service is shutting down"));
    expect(logged).toEqual([]);
    silent.closeAllConnections();
  });

  it.each([
    ["of another issuer", { issuer: "https://other.example" }, "its metadata is that of https://other.example"],
    ["with keys that travel unencrypted", { jwks_uri: "http://keys.example/jwks" }, "a jwks_uri without https"],
    ["without keys", { jwks_uri: undefined }, "is not the JSON document that belongs there"],
  ])("refuses metadata %s", async (_, metadata, problem) => {
    const server = await startIssuer({ metadata });
    expect(await outcome(open(server.url).issuer.documents())).toContain(problem);
  });
});

describe("verifyToken", () => {
  const nowSeconds = () => Math.floor(Date.now() / 1000);

  it.each<[string, () => Record<string, unknown>, string]>([
    ["has expired", () => ({ exp: nowSeconds() - 60 }), "the token has expired"],
    ["is not valid yet", () => ({ nbf: nowSeconds() + 60 }), "the token is not valid yet"],
    ["is for somebody else", () => ({ aud: "other" }), "the token is for another audience"],
    ["is from somebody else", () => ({ iss: "https://other.example" }), "the token is from another issuer"],
    ["never expires", () => ({ exp: undefined }), "the token has no claim exp"],
    ["is for nobody", () => ({ aud: undefined }), "the token has no claim aud"],
  ])("refuses a token that %s, and says so", async (_, claims, problem) => {
    const server = await startIssuer();
    const token = await server.sign(claims());
    expect(await outcome(open(server.url).verify(token))).toBe(
      `unauthenticated: ${problem}: send one that ${server.url} has issued for the audience secrets`,
    );
  });

  it("allows for clocks that differ by the configured skew", async () => {
    const server = await startIssuer();
    const { verify } = open(server.url);
    await verify(await server.sign({ exp: nowSeconds() - 20 }));
    await verify(await server.sign({ nbf: nowSeconds() + 20 }));
  });

  it("refuses what is no signed token, and a signature that is not the issuer's", async () => {
    const server = await startIssuer();
    const { verify } = open(server.url);
    const [header, , signature] = (await server.sign()).split(".");
    const [, payload] = (await server.sign({ sub: "another" })).split(".");
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const unsigned = `${encode({ alg: "none" })}.${payload}.`;
    const symmetric = `${encode({ alg: "HS256", kid: "key-1" })}.${payload}.${signature}`;
    expect(await outcome(verify("opaque"))).toMatch(/^unauthenticated: the token is no signed JWT/);
    expect(await outcome(verify(unsigned))).toMatch(/^unauthenticated: /);
    expect(await outcome(verify(symmetric))).toMatch(/^unauthenticated: the token is not signed with a public-key/);
    expect(await outcome(verify(`${header}.${payload}.${signature}`))).toMatch(
      /^unauthenticated: the token's signature is/,
    );
  });
});
