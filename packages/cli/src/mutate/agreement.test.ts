import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@flyte-secrets/config";
import { encodeSecretId, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openAgreement, type Verdict } from "../testing/agreement.ts";
import { randomPods, toFlags, webhookSettings } from "../testing/random-pods.ts";
import { type AwsServer, startAws } from "../testing/start-aws.ts";

/** More with `PROPERTY_RUNS`, for a long run. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 5_000);
const home = mkdtempSync(join(tmpdir(), "agreement-"));

let aws: AwsServer;
beforeAll(async () => {
  const store = await openEmbeddedStore({ directory: join(home, "store") });
  aws = await startAws();
  const put = async (project: string, domain: string, name: string, value: SecretValue) => {
    const id = { org: "flyte", project, domain, name };
    await store.create(id, { type: "generic", value });
    aws.secrets.set(encodeSecretId(id), value.revealText() ?? "no text");
  };
  await put("shop", "dev", "password", SecretValue.fromText("narrow"));
  await put("", "dev", "password", SecretValue.fromText("broad"));
  await put("", "", "api-key", SecretValue.fromText("global"));
  await put("shop", "dev", "bytes", SecretValue.fromBytes(Uint8Array.of(255, 0)));
  await store.close();
  aws.secrets.set("my-db", JSON.stringify({ password: "of-my-db", "api-key": "ak", missing: "not" }));
  aws.secrets.set("plain", "whole");
  aws.secrets.set(encodeSecretId({ org: "flyte", project: "shop", domain: "dev", name: "valueless" }), undefined);
});
afterAll(async () => {
  await aws?.close();
  rmSync(home, { recursive: true });
});

const env = {
  HOME: home,
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
  FLYTE_SECRET_DB_PASSWORD: "global-value",
};
// Where the SDK looks first.
Object.assign(process.env, { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" });

const NO_CLUSTER = () => Promise.reject(new Error("not of this type"));

function configOf(settings: Parameters<typeof toFlags>[0], type: string) {
  const embedded = "webhook.embeddedSecretManagerConfig";
  const flags = {
    ...toFlags(settings),
    "secret.store.path": join(home, "store"),
    [`${embedded}.type`]: type,
    [`${embedded}.awsConfig.region`]: "us-east-1",
    [`${embedded}.awsConfig.endpoint`]: aws.url,
  };
  return loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
}

test("explain, check, mutate, run and the webhook agree about pods, whatever is configured", async () => {
  const verdicts = new Set<Verdict>();
  const types = fc.constantFrom("Store", "AWS");
  const tenPods = fc.array(randomPods("valueless"), { minLength: 10, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(webhookSettings, types, tenPods, async (settings, type, pods) => {
      await using cleanUp = new AsyncDisposableStack();
      const config = configOf(settings, type);
      const openStore = async () =>
        cleanUp.adopt(await openEmbeddedStore({ directory: config.secret.store.path }), (store) => store.close());
      const sources = { openStore, openKube: NO_CLUSTER };
      const agreement = cleanUp.use(await openAgreement(config, { env, home, sources }));
      for (const pod of pods) verdicts.add(await agreement.expectFor(pod));
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
  // Pods of each kind were among them.
  expect([...verdicts]).toEqual(
    expect.arrayContaining(["changed", "not_injected", "pod_conflict", "unchanged", "value_unreadable"]),
  );
}, 600_000);
