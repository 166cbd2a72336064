import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { encodeSecretId, type SecretFetcher, type SecretId, SecretValue } from "@flyte-secrets/core";
import { openProviderFetcher, type VaultOptions } from "@flyte-secrets/lookup/testing";
import { createTemporaryDirectory, describeSecretFetcher } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { requireVault, startVault, type VaultServer } from "./vault-server.ts";

/** Those of the configuration, but for the token. */
const DEFAULTS = {
  caFile: "",
  namespace: "",
  mount: "secret",
  path: "",
  kvVersion: "2",
  auth: "token",
  authMount: "kubernetes",
  role: "flyte",
  tokenFile: "",
} as const;

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };

describeWith(requireVault(), "a real Vault", () => {
  let vault: VaultServer;
  let mounts = 0;
  beforeAll(async () => {
    vault = await startVault();
  });
  afterAll(() => vault?.close());

  /** A KV engine of its own. */
  async function mountKv(version: "1" | "2"): Promise<string> {
    const mount = `kv-${++mounts}`;
    await vault.call("POST", `sys/mounts/${mount}`, { type: "kv", options: { version } });
    return mount;
  }

  function writeToken(token: string): string {
    const file = join(createTemporaryDirectory(), "token");
    writeFileSync(file, token);
    return file;
  }

  function open(options: Partial<VaultOptions>): Promise<SecretFetcher> {
    return openProviderFetcher({ type: "Vault", ...DEFAULTS, address: vault.address, ...options });
  }

  function put(mount: string, version: "1" | "2", id: SecretId, members: object) {
    const path = version === "2" ? `${mount}/data/flyte/${encodeSecretId(id)}` : `${mount}/flyte/${encodeSecretId(id)}`;
    return vault.call("POST", path, version === "2" ? { data: members } : members);
  }

  const members = (value: SecretValue) => {
    const text = value.revealText();
    return text === undefined ? { base64: value.revealBase64() } : { value: text };
  };

  for (const version of ["1", "2"] as const) {
    describeSecretFetcher(`KV version ${version}`, async () => {
      const mount = await mountKv(version);
      return {
        fetcher: await open({ mount, path: "flyte", kvVersion: version, tokenFile: writeToken(vault.token) }),
        put: async (id, value) => void (await put(mount, version, id, members(value))),
        putEmpty: async (id) => void (await put(mount, version, id, { other: "x" })),
        close: async () => {},
      };
    });
  }

  test("a deleted version, and one that was destroyed, is absent", async () => {
    const mount = await mountKv("2");
    const fetcher = await open({ mount, path: "flyte", tokenFile: writeToken(vault.token) });
    await put(mount, "2", id, { value: "v" });
    const [deleted, destroyed] = ["data", "destroy"].map((part) => `${mount}/${part}/flyte/${encodeSecretId(id)}`);
    await vault.call("DELETE", deleted ?? "");
    expect(await fetcher.fetch([id])).toEqual(new Map());
    await vault.call("PUT", destroyed ?? "", { versions: [1] });
    expect(await fetcher.fetch([id])).toEqual(new Map());
  });

  test.each([
    ["1", "2"],
    ["2", "1"],
  ] as const)("an engine of version %s that is read as version %s has nothing absent", async (version, read) => {
    const mount = await mountKv(version);
    const fetcher = await open({ mount, kvVersion: read, tokenFile: writeToken(vault.token) });
    const outcome = (await fetcher.fetch([id])).get(id);
    // An engine of version 1 takes `data/...` for a path like any other.
    if (version === "1") expect(outcome).toBeUndefined();
    else expect(outcome).toMatchObject({ code: "store_unavailable" });
  });

  test("a mount that isn't there is an error, and a policy that does not allow it is refused", async () => {
    const root = await open({ mount: "nowhere", tokenFile: writeToken(vault.token) });
    expect((await root.fetch([id])).get(id)).toMatchObject({ code: "store_unavailable" });
    const mount = await mountKv("2");
    const created = await vault.call("POST", "auth/token/create", { policies: ["default"] });
    const { client_token } = created.auth as { client_token: string };
    const weak = await open({ mount, tokenFile: writeToken(client_token) });
    expect((await weak.fetch([id])).get(id)).toMatchObject({ code: "credentials_refused" });
  });

  test("a service account logs in through Kubernetes auth, and again when its token is revoked", async () => {
    const kubernetes = await startTokenReviews();
    onTestFinished(() => kubernetes.close());
    const mount = await mountKv("2");
    await put(mount, "2", id, { value: "v" });
    await vault.call("POST", "sys/auth/kubernetes", { type: "kubernetes" });
    await vault.call("POST", "auth/kubernetes/config", {
      kubernetes_host: kubernetes.url,
      token_reviewer_jwt: kubernetes.jwt,
      disable_local_ca_jwt: true,
    });
    const policy = `path "${mount}/data/flyte/*" { capabilities = ["read"] }`;
    await vault.call("PUT", "sys/policies/acl/flyte-secrets", { policy });
    await vault.call("POST", "auth/kubernetes/role/flyte", {
      bound_service_account_names: "webhook",
      bound_service_account_namespaces: "flyte",
      token_policies: ["flyte-secrets"],
    });
    const fetcher = await open({ mount, path: "flyte", auth: "kubernetes", tokenFile: writeToken(kubernetes.jwt) });
    const found = new Map([[id, SecretValue.fromText("v")]]);
    expect(await fetcher.fetch([id])).toEqual(found);
    await vault.call("POST", "sys/leases/revoke-prefix/auth/kubernetes/login", {});
    expect(await fetcher.fetch([id])).toEqual(found);

    const other = await open({ mount, auth: "kubernetes", role: "other", tokenFile: writeToken(kubernetes.jwt) });
    expect((await other.fetch([id])).get(id)).toMatchObject({ code: "credentials_refused" });
  });
});

/** The one call of an API server that Vault's Kubernetes auth makes, and a service account's token that it takes. */
async function startTokenReviews() {
  const server = createServer(async (req, res) => {
    const { spec }: { spec: { token: string } } = JSON.parse(await readText(req));
    const user = { username: "system:serviceaccount:flyte:webhook", uid: "1", groups: ["system:serviceaccounts"] };
    const status = spec.token === jwt ? { authenticated: true, user } : { authenticated: false };
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec, status };
    res.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(review));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "kubernetes/serviceaccount",
    sub: "system:serviceaccount:flyte:webhook",
    iat: now,
    exp: now + 3600,
    "kubernetes.io": { namespace: "flyte", serviceaccount: { name: "webhook", uid: "1" } },
  };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`;
  const jwt = `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
  return {
    url: `http://127.0.0.1:${port}`,
    jwt,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
