import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { encodeSecretId, type SecretId, SecretValue } from "@flyte-secrets/core";
import { createCertificate } from "@flyte-secrets/testkit";
import { createTemporaryDirectory, describeSecretFetcher } from "@flyte-secrets/testkit/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { createProviderFetcher } from "../secret-provider.ts";
import { type FakeAnswer, startFakeBackend } from "../testing/fake-backend.ts";
import type { VaultOptions } from "./options.ts";
import { openVault } from "./provider.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };

const errors = (status: number, ...messages: string[]): FakeAnswer => ({ status, json: { errors: messages } });

/** Vault's wire, as the real one speaks it (e2e/fetchers/vault.test.ts), with KV version 2 at `secret`. */
async function start(settings: Partial<VaultOptions> = {}) {
  const secrets = new Map<string, Readonly<Record<string, unknown>>>();
  const logins: unknown[] = [];
  let validToken = "token-1";
  const directory = createTemporaryDirectory();
  const tokenFile = join(directory, "token");
  writeFileSync(tokenFile, `${validToken}\n`);
  const backend = await startFakeBackend(({ method, path, headers, body }, fault) => {
    if (method === "POST" && path === "/v1/auth/kubernetes/login") {
      logins.push(JSON.parse(body));
      return { status: 200, json: { auth: { client_token: validToken, lease_duration: 3600 } } };
    }
    if (fault === "throttled") return errors(429);
    if (fault === "forbidden" || headers["x-vault-token"] !== validToken) return errors(403, "permission denied");
    const name = decodeURIComponent(path.slice("/v1/secret/data/".length));
    const data = secrets.get(name);
    if (path.startsWith("/v1/secret/data/")) {
      return data ? { status: 200, json: { data: { data, metadata: { version: 1 } } } } : errors(404);
    }
    return errors(404, "no handler for route");
  });
  const config: VaultOptions = {
    address: backend.url,
    caFile: "",
    namespace: "",
    mount: "secret",
    path: "",
    kvVersion: "2",
    auth: "token",
    authMount: "kubernetes",
    role: "flyte",
    tokenFile,
    ...settings,
  };
  return {
    ...backend,
    fetcher: createProviderFetcher(await openVault(config)),
    // Its answers don't name the secret.
    faultless: ["lying"] as const,
    logins,
    /** One with the same settings and another address. */
    openAt: async (address: string, more: Partial<VaultOptions> = {}) =>
      createProviderFetcher(await openVault({ ...config, address, ...more })),
    rotateToken(token: string) {
      validToken = token;
    },
    writeToken: (token: string) => writeFileSync(tokenFile, token),
    put: async (id: SecretId, value: SecretValue) => {
      const text = value.revealText();
      secrets.set(encodeSecretId(id), text === undefined ? { base64: value.revealBase64() } : { value: text });
    },
    putData: (id: SecretId, data: Record<string, string>) => void secrets.set(encodeSecretId(id), data),
    putEmpty: async (id: SecretId) => void secrets.set(encodeSecretId(id), { other: "x" }),
  };
}

async function started(settings?: Partial<VaultOptions>) {
  const vault = await start(settings);
  onTestFinished(() => vault.close());
  return vault;
}

describeSecretFetcher("Vault", start);

test("the webhook logs in as its service account, once for all secrets", async () => {
  const { fetcher, logins, put } = await started({ auth: "kubernetes" });
  const ids = ["a", "b", "c"].map((name) => ({ ...id, name }));
  for (const one of ids) await put(one, SecretValue.fromText("v"));
  expect((await fetcher.fetch(ids)).size).toBe(3);
  expect(logins).toEqual([{ role: "flyte", jwt: "token-1" }]);
});

test("a token that ended is replaced by a new login", async () => {
  const { fetcher, logins, put, rotateToken } = await started({ auth: "kubernetes" });
  await put(id, SecretValue.fromText("v"));
  await fetcher.fetch([id]);
  rotateToken("token-2");
  expect(await fetcher.fetch([id])).toEqual(new Map([[id, SecretValue.fromText("v")]]));
  expect(logins).toHaveLength(2);
});

test("a token file is read again when its token is refused", async () => {
  const { fetcher, put, rotateToken, writeToken } = await started();
  await put(id, SecretValue.fromText("v"));
  await fetcher.fetch([id]);
  rotateToken("token-2");
  expect((await fetcher.fetch([id])).get(id)).toMatchObject({ code: "credentials_refused" });
  writeToken("token-2");
  expect((await fetcher.fetch([id])).get(id)).toEqual(SecretValue.fromText("v"));
});

test.each([
  [{ mount: "elsewhere" }, "store_unavailable", "there is no KV engine of that version at that mount"],
  [{ kvVersion: "1" as const }, "store_unavailable", "there is no KV engine of that version at that mount"],
  [
    { auth: "kubernetes" as const, authMount: "elsewhere" },
    "credentials_refused",
    'refused the login with role "flyte" at auth/elsewhere',
  ],
  [{ tokenFile: "/does/not/exist" }, "credentials_refused", "/does/not/exist cannot be read (ENOENT)"],
])("what the configuration gets wrong is never taken for absent: %j", async (settings, code, message) => {
  const { fetcher } = await started(settings);
  expect((await fetcher.fetch([id])).get(id)).toMatchObject({ code, message: expect.stringContaining(message) });
});

test.each(["!!!!", "YQ", "YR==", "Y Q=="])("bytes are in standard base64 or unreadable: %s", async (base64) => {
  const { fetcher, putData } = await started();
  putData(id, { base64 });
  expect((await fetcher.fetch([id])).get(id)).toMatchObject({
    code: "value_unreadable",
    message: expect.stringMatching(/its member base64 is not standard base64 with padding$/),
  });
});

test("the address must be configured", async () => {
  await expect(start({ address: "" })).rejects.toMatchObject({ code: "invalid_config" });
});

test.each([
  "kubernetes/",
  "/kubernetes",
  "auth/kubernetes",
  "/auth/kubernetes/",
])("the mount of the auth method may be written %s", async (authMount) => {
  const { fetcher, put, logins } = await started({ auth: "kubernetes", authMount });
  await put(id, SecretValue.fromText("v"));
  expect((await fetcher.fetch([id])).get(id)).toEqual(SecretValue.fromText("v"));
  expect(logins).toHaveLength(1);
});

test.each(["/", "/v1", "/v1/"])("the address may end with %s", async (end) => {
  const vault = await started();
  await vault.put(id, SecretValue.fromText("v"));
  const fetcher = await vault.openAt(`${vault.url}${end}`);
  expect((await fetcher.fetch([id])).get(id)).toEqual(SecretValue.fromText("v"));
});

test.each([
  ["a\nb", "holds more than one token, or another text"],
  ["", "is empty"],
  ["t\u00f6ken", "holds more than one token, or another text"],
])("a token file with %j says so, and not what is in it", async (content, problem) => {
  const { fetcher, writeToken } = await started();
  writeToken(content);
  const outcome = (await fetcher.fetch([id])).get(id);
  expect(outcome).toMatchObject({ code: "credentials_refused", message: expect.stringContaining(problem) });
});

describe("a standby node", () => {
  /** Leads all calls to `target`, with the path of the call where that is an origin. */
  async function startStandby(target: (path: string) => string, status = 307) {
    const standby = await startFakeBackend(({ path }) => ({ status, json: null, headers: { location: target(path) } }));
    onTestFinished(() => standby.close());
    return standby;
  }

  test.each([307, 308])("is followed to the active one with the same call, token and login (%s)", async (status) => {
    for (const auth of ["token", "kubernetes"] as const) {
      const active = await started({ auth });
      await active.put(id, SecretValue.fromText("v"));
      const near = await startStandby((path) => `${active.url}${path}`, status);
      const far = await startStandby((path) => `${near.url}${path}`, status);
      for (const standby of [near, far]) {
        const fetcher = await active.openAt(standby.url);
        expect((await fetcher.fetch([id])).get(id)).toEqual(SecretValue.fromText("v"));
      }
      const seen = active.requests.map(({ method, path }) => `${method} ${path.split("/")[2]}`);
      expect(new Set(seen)).toEqual(new Set(auth === "token" ? ["GET secret"] : ["POST auth", "GET secret"]));
      expect(active.requests.at(-1)?.headers["x-vault-token"]).toBe("token-1");
    }
  });

  test("may name a path of its own server", async () => {
    const active = await started();
    await active.put(id, SecretValue.fromText("v"));
    let asked = 0;
    const balancer = await startFakeBackend(({ path }) => ({
      status: 307,
      json: null,
      headers: { location: asked++ === 0 ? `${path}?again` : `${active.url}${path.replace("?again", "")}` },
    }));
    onTestFinished(() => balancer.close());
    const fetcher = await active.openAt(balancer.url);
    expect((await fetcher.fetch([id])).get(id)).toEqual(SecretValue.fromText("v"));
  });

  test.each([
    ["that leads to itself", (path: string) => path, "redirects more than 3 times"],
    ["that names no address", () => "http://[", "redirects to an invalid address"],
    ["that leads to another protocol", () => "file:///etc/passwd", "redirects to an invalid address"],
  ])("%s is unavailable, with the reason", async (_, target, reason) => {
    const vault = await started();
    const standby = await startStandby(target);
    const outcome = (await (await vault.openAt(standby.url)).fetch([id])).get(id);
    expect(outcome).toMatchObject({ code: "store_unavailable", message: expect.stringContaining(reason) });
    expect(vault.requests).toEqual([]);
  });

  test("on TLS doesn't lead a token to plain HTTP", async () => {
    const vault = await started();
    const { cert, key } = await createCertificate();
    const server = createServer({ cert, key }, (req, res) => {
      res.writeHead(307, { location: `${vault.url}${req.url}` }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const caFile = join(createTemporaryDirectory(), "ca.pem");
    writeFileSync(caFile, cert);
    const fetcher = await vault.openAt(`https://localhost:${Object(server.address()).port}`, { caFile });
    const outcome = (await fetcher.fetch([id])).get(id);
    const message = expect.stringContaining("redirects from https to http, which would expose the token");
    expect(outcome).toMatchObject({ code: "store_unavailable", message });
    expect(vault.requests).toEqual([]);
  });
});

test("messages name the path in Vault", async () => {
  const { fetcher } = await started({ path: "/flyte/secrets/" });
  expect(fetcher.nameOf?.(id)).toBe(`secret/data/flyte/secrets/${encodeSecretId(id)}`);
});

test("many calls that are refused at once share one new login", async () => {
  const { fetcher, logins, put, rotateToken } = await started({ auth: "kubernetes" });
  const ids = Array.from({ length: 30 }, (_, at) => ({ ...id, name: `s${at}` }));
  for (const one of ids) await put(one, SecretValue.fromText("v"));
  await fetcher.fetch(ids.slice(0, 1));
  rotateToken("token-2");
  const fetched = await Promise.all(ids.map((one) => fetcher.fetch([one])));
  expect(fetched.every(({ size }) => size === 1)).toBe(true);
  expect(logins).toHaveLength(2);
});

test("a login goes on for the others when the call that began it gives up", async () => {
  const { fetcher, logins, put } = await started({ auth: "kubernetes" });
  await put(id, SecretValue.fromText("v"));
  const first = new AbortController();
  const given = fetcher.fetch([id], { signal: first.signal });
  const other = fetcher.fetch([id]);
  first.abort();
  expect((await given).get(id)).toMatchObject({ code: "canceled" });
  expect((await other).get(id)).toEqual(SecretValue.fromText("v"));
  expect(logins).toHaveLength(1);
});

test("TLS to a Vault of plain HTTP, and what a Vault of TLS answers to plain HTTP, name the setting", async () => {
  const vault = await started();
  const address = vault.url.replace("http:", "https:");
  const other = await started({ address });
  expect((await other.fetcher.fetch([id])).get(id)).toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(
      /does not speak TLS: if it speaks plain HTTP, write http:\/\/ in vaultConfig\.address$/,
    ),
  });
  const go = await startFakeBackend(() => ({ status: 400, json: undefined }));
  onTestFinished(() => go.close());
  const plain = await started({ address: go.url });
  expect((await plain.fetcher.fetch([id])).get(id)).toMatchObject({
    code: "store_unavailable",
    message: expect.stringMatching(
      /gives no answer to plain HTTP: if it speaks TLS, write https:\/\/ in vaultConfig\.address$/,
    ),
  });
});
