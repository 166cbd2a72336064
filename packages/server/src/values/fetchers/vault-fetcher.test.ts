import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeSecretId, type SecretId, SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory, describeSecretFetcher } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { createNamedFetcher } from "./named-fetcher.ts";
import { type FakeAnswer, startFakeBackend } from "./testing/fake-backend.ts";
import type { VaultConfig } from "./vault-config.ts";
import { openVault } from "./vault-fetcher.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };

const errors = (status: number, ...messages: string[]): FakeAnswer => ({ status, json: { errors: messages } });

/** Vault's wire, as the real one speaks it (e2e/fetchers/vault.test.ts), with KV version 2 at `secret`. */
async function start(settings: Partial<VaultConfig> = {}) {
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
  const config: VaultConfig = {
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
    fetcher: createNamedFetcher(await openVault(config)),
    // Its answers don't name the secret.
    faultless: ["lying"] as const,
    logins,
    rotateToken(token: string) {
      validToken = token;
    },
    writeToken: (token: string) => writeFileSync(tokenFile, token),
    put: async (id: SecretId, value: SecretValue) => {
      const text = value.revealText();
      secrets.set(encodeSecretId(id), text === undefined ? { base64: value.revealBase64() } : { value: text });
    },
    putEmpty: async (id: SecretId) => void secrets.set(encodeSecretId(id), { other: "x" }),
  };
}

async function started(settings?: Partial<VaultConfig>) {
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

test("the address must be configured", async () => {
  await expect(start({ address: "" })).rejects.toMatchObject({ code: "invalid_config" });
});

test("messages name the path in Vault", async () => {
  const { fetcher } = await started({ path: "/flyte/secrets/" });
  expect(fetcher.nameOf?.(id)).toBe(`secret/data/flyte/secrets/${encodeSecretId(id)}`);
});
