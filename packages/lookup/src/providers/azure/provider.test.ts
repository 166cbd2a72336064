import type { SecretId, SecretValue } from "@flyte-secrets/core";
import { describeSecretFetcher } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { createProviderFetcher } from "../secret-provider.ts";
import { type FakeAnswer, startFakeBackend } from "../testing/fake-backend.ts";
import { encodeAzureName, encodeAzureValue } from "./encoding.ts";
import { openAzure } from "./provider.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const TOKEN = "token-of-the-test";

const error = (status: number, code: string): FakeAnswer => ({ status, json: { error: { code, message: "no" } } });

/**
 * Key Vault's wire (https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret), its challenge
 * included.
 */
async function start() {
  const secrets = new Map<string, { readonly value?: string }>();
  const backend = await startFakeBackend(({ path, headers }, fault) => {
    if (fault === "forbidden") return error(403, "Forbidden");
    if (fault === "throttled") return error(429, "Throttled");
    if (headers.authorization !== `Bearer ${TOKEN}`) {
      const challenge = 'Bearer authorization="https://login.example.com/tenant", resource="https://vault.azure.net"';
      return { ...error(401, "Unauthorized"), headers: { "www-authenticate": challenge } };
    }
    const [, , name = ""] = new URL(path, "http://vault").pathname.split("/");
    // Names there have no case.
    const stored = secrets.get(name.toLowerCase());
    const answer = (called: string, bundle: object) => ({
      status: 200,
      json: { ...bundle, id: `${backend.url}/secrets/${called}/0123456789abcdef`, attributes: { enabled: true } },
    });
    if (fault === "lying")
      return answer("another", { value: '{"type":"STRING","value":"canary-value-of-the-contract"}' });
    return stored ? answer(name, stored) : error(404, "SecretNotFound");
  });
  const azure = await openAzure(
    { vaultURI: backend.url },
    {
      credential: { getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) },
      allowInsecureConnection: true,
      disableChallengeResourceVerification: true,
      retryOptions: { maxRetries: 0 },
    },
  );
  const store = (id: SecretId, bundle: { value?: string }) =>
    void secrets.set(encodeAzureName(id).toLowerCase(), bundle);
  return {
    ...backend,
    fetcher: createProviderFetcher(azure),
    put: async (id: SecretId, value: SecretValue) => store(id, { value: encodeAzureValue(value) }),
    putEmpty: async (id: SecretId) => store(id, {}),
    putRaw: (id: SecretId, value: string) => store(id, { value }),
  };
}

describeSecretFetcher("Azure", start);

test("the error for a value that is not in Flyte's encoding describes the encoding and does not quote the value", async () => {
  const azure = await start();
  onTestFinished(() => azure.close());
  azure.putRaw(id, "canary");
  expect((await azure.fetcher.fetch([id])).get(id)).toMatchObject({
    code: "value_unreadable",
    message: `secret ${encodeAzureName(id)} failed to be read from secret manager Azure: the Azure secret is not of the form {"type":"STRING"|"BINARY","value":"..."}: write it again with flyte-secrets`,
  });
});

test("an identity that cannot log in is told from a vault that is down", async () => {
  const azure = await start();
  onTestFinished(() => azure.close());
  const { CredentialUnavailableError } = await import("@azure/identity");
  const fetcher = createProviderFetcher(
    await openAzure(
      { vaultURI: azure.url },
      {
        credential: { getToken: () => Promise.reject(new CredentialUnavailableError("no identity here")) },
        allowInsecureConnection: true,
        disableChallengeResourceVerification: true,
      },
    ),
  );
  expect((await fetcher.fetch([id])).get(id)).toMatchObject({
    code: "credentials_refused",
    message: expect.stringContaining("give the webhook's pod a workload identity"),
  });
});

test("the vault must be configured", async () => {
  await expect(openAzure({ vaultURI: "" })).rejects.toMatchObject({ code: "invalid_config" });
});
