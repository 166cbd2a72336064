import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CONTAINERS_ANNOTATION,
  encodeSecretId,
  INJECT_LABEL,
  isSecretsError,
  parsePod,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { createLogger, NO_METRICS, openLookup, systemClock } from "@flyte-secrets/server";
import {
  claimOf,
  createAdmission,
  createManagers,
  globalSecrets,
  loadConfig,
  mutatePod,
  openEmbeddedStore,
} from "@flyte-secrets/server/local";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { explainPods, isServed } from "../explain/explain-pods.ts";
import { createRecorder } from "../explain/recorder.ts";
import { createLazyLookup } from "../store/lazy-lookup.ts";
import { type AwsServer, startAws } from "../testing/start-aws.ts";
import { localAdmission, ownNamespace, UNKNOWN_CREATOR } from "./local-admission.ts";
import { mutateObject } from "./mutate-object.ts";

/** More with `PROPERTY_RUNS`, for a long run. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 2_000);
const ALONE = ["Global", "K8s", "AWS", "GCP", "Azure", "Vault", "Embedded"];
const MANAGERS = [...ALONE, "K8s,Embedded", "Embedded,K8s", "AWS,Embedded", "Vault,GCP,Azure,Embedded"];
const KEYS = ["password", "api-key", "Up.Down", "bytes", "missing", "a-key-that-is-too-long-for-an-id-of-this-webhook"];
const GROUPS = ["", "my-db", "plain", "nowhere", "DB", "projects/p/secrets/s"];
const VARIABLES = ["", "", "A", "PASSWORD", "_UNION_PASSWORD", "not a name"];
const WRITTEN = /flyte-secrets-[0-9a-f]{32}/g;
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

const settings = fc.record({
  managers: fc.constantFrom(...MANAGERS),
  type: fc.constantFrom("Store", "AWS"),
  delivery: fc.constantFrom("SecretRef", "Inline"),
  naming: fc.constantFrom("raw", "posix"),
  idLength: fc.constantFrom("512", "70"),
  groupBinding: fc.constantFrom("{}", '{"shop-dev":["my-db","DB"]}'),
});

function configOf(one: typeof settings extends fc.Arbitrary<infer T> ? T : never) {
  const embedded = "webhook.embeddedSecretManagerConfig";
  const flags = {
    "secret.store.path": join(home, "store"),
    "webhook.secretManagerTypes": one.managers,
    [`${embedded}.type`]: one.type,
    [`${embedded}.delivery`]: one.delivery,
    [`${embedded}.awsConfig.region`]: "us-east-1",
    [`${embedded}.awsConfig.endpoint`]: aws.url,
    "webhook.secretEnvVarNaming": one.naming,
    "webhook.limits.idLength": one.idLength,
    "webhook.groupBinding": one.groupBinding,
    "webhook.scopeBinding.domains": "dev",
    "webhook.scopeBinding.mode": "warn",
  };
  return loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
}

const request = fc.record({
  key: fc.constantFrom(...KEYS),
  group: fc.constantFrom(...GROUPS),
  groupVersion: fc.constantFrom("", "1"),
  mountRequirement: fc.constantFrom(0, 1, 2),
  envVar: fc.constantFrom(...VARIABLES),
});
const pods = fc.record({
  requests: fc.array(request, { maxLength: 4 }),
  labels: fc.constantFrom({ organization: "flyte", project: "shop", domain: "dev" }, { organization: "flyte" }),
  namespace: fc.constantFrom("shop-dev", "elsewhere"),
  named: fc.constantFrom(undefined, "main", "nobody"),
  env: fc.array(fc.record({ name: fc.constantFrom("A", "_UNION_PASSWORD", "B"), value: fc.string() }), {
    maxLength: 2,
  }),
  mounts: fc.array(fc.record({ name: fc.constant("v"), mountPath: fc.constantFrom("/etc/flyte/secrets", "/data") }), {
    maxLength: 1,
  }),
});

function podOf({
  requests,
  labels,
  namespace,
  named,
  env,
  mounts,
}: typeof pods extends fc.Arbitrary<infer T> ? T : never) {
  const annotations = { ...toRequestAnnotations(requests), ...(named && { [CONTAINERS_ANNOTATION]: named }) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "train", namespace, labels: { ...labels, [INJECT_LABEL]: "true" }, annotations },
    spec: {
      containers: [{ name: "main", image: "train", env, volumeMounts: mounts }],
      volumes: [{ name: "v", emptyDir: {} }],
    },
  };
}

const NO_STORE = () => Promise.reject(new Error("not of this type"));

/** What the webhook of this configuration answers: the parts of `startWebhook` that decide. */
async function openWebhook(config: ReturnType<typeof configOf>, cleanUp: AsyncDisposableStack) {
  const log = createLogger({ ...config.logger, mute: true });
  const lookup = await openLookup(config, {
    openStore: async () =>
      cleanUp.adopt(await openEmbeddedStore({ directory: config.secret.store.path }), (store) => store.close()),
    openKube: NO_STORE,
    clock: systemClock,
    log,
    metrics: NO_METRICS,
  });
  cleanUp.defer(() => lookup.close());
  const writer = { write: async () => {} };
  return createAdmission(config, { lookup, global: globalSecrets(config, env), writer, ownNamespace: "flyte" });
}

interface Outcome {
  readonly rejected?: { readonly code: string; readonly message: string };
  /** Empty when nothing changes. */
  readonly patch?: unknown;
  readonly managers?: readonly string[];
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replace(WRITTEN, "WRITTEN"));

function toRejected(error: unknown): Outcome {
  if (!isSecretsError(error)) throw error;
  return { rejected: { code: error.code, message: error.message } };
}

test("explain, mutate and the webhook agree about pods, whatever is configured", async () => {
  const counts = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(settings, fc.array(pods, { minLength: 10, maxLength: 10 }), async (one, generated) => {
      await using cleanUp = new AsyncDisposableStack();
      const config = configOf(one);
      const host = { env, home, stderr: { write() {} } } as never;
      const webhook = await openWebhook(config, cleanUp);
      const lookup = cleanUp.use(createLazyLookup(config, host));
      const global = globalSecrets(config, env);
      const namespaceLabels = { find: () => undefined, isBound: () => false };
      const admission = localAdmission(config, { lookup, global, namespaceLabels, host });
      const recorder = createRecorder({ lookup, global, type: one.type });
      const managers = createManagers(config, { ...recorder, ownNamespace: ownNamespace(config, host) });
      for (const each of generated) {
        const object = podOf(each);
        const expected = await answer(() =>
          mutatePod(
            { pod: parsePod(object), namespace: each.namespace, creator: UNKNOWN_CREATOR },
            { ...webhook, warnOnly: true },
            { dryRun: true },
          ),
        );
        const kind = expected.rejected?.code ?? (expected.managers?.length ? "changed" : "unchanged");
        counts.set(kind, (counts.get(kind) ?? 0) + 1);

        const mutated = await mutateObject(object, { admission, namespace: "default", creator: UNKNOWN_CREATOR });
        if (mutated.outcome === "rejected") {
          expect(expected.rejected?.code).toBe(mutated.error.code);
          expect(mutated.error.message.endsWith(expected.rejected?.message ?? "?")).toBe(true);
        } else if (mutated.outcome === "changed") expect(plain(mutated.patch)).toEqual(expected.patch);
        else expect(expected.patch).toEqual([]);

        const explained = await explainPods([object], {
          managers,
          takePlaces: recorder.take,
          variables: { prefix: "_UNION_", style: one.naming === "raw" ? "raw" : "posix" },
          limits: config.webhook.limits,
          claimOf: (pod, namespace) =>
            claimOf({ pod, namespace, creator: UNKNOWN_CREATOR }, { scopeGuard: webhook.scopeGuard, warnOnly: true }),
          admission,
          namespace: "default",
        }).catch(toRejected);
        if ("rejected" in explained) expect(explained.rejected?.code).toBe(expected.rejected?.code);
        else if ("requests" in explained) {
          const unserved = explained.requests.filter(({ managers }) => !isServed(managers));
          expect(unserved.length > 0 || explained.rejections.length > 0).toBe(expected.rejected !== undefined);
          if (expected.rejected === undefined && expected.managers !== undefined) {
            const serving = explained.requests.map(
              ({ managers }) => managers.find((one) => one.outcome === "serves")?.manager,
            );
            expect(serving).toEqual(expected.managers);
          }
        }
      }
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
  // Pods of each kind were among them.
  expect([...counts.keys()]).toEqual(expect.arrayContaining(["changed", "not_injected", "pod_conflict", "unchanged"]));
}, 300_000);

async function answer(ask: () => ReturnType<typeof mutatePod>): Promise<Outcome> {
  try {
    const change = await ask();
    if (!change.changed) return { patch: [] };
    return { patch: plain(change.patch.operations), managers: change.injections.map(({ manager }) => manager) };
  } catch (error) {
    return toRejected(error);
  }
}
