import { deliveredSecretName, imagePullSecretName, SecretValue } from "@flyte-secrets/core";
import type { KubeClient, KubeSecret } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { webhookOptions } from "../testing/webhook-options.ts";
import { openSecretWriter, type WriterOptions } from "./open-secret-writer.ts";

const SECRET = {
  name: deliveredSecretName("ab".repeat(16)),
  labels: { "app.flyte.org/managed-by": "flyte-secrets-webhook" },
  data: { "api-key": SecretValue.fromText("value") },
};

async function open(change: Partial<WriterOptions> = {}) {
  const { writer } = webhookOptions("/", { writer: change });
  const api = createMemoryApi();
  const followed: unknown[] = [];
  // What is asked of a client here.
  const client = {
    ...api.client,
    list(...args: Parameters<typeof api.client.list>) {
      followed.push(args[1].namespace);
      return api.client.list(...args);
    },
  } as KubeClient;
  const clock = createManualClock();
  const registry = new Registry();
  const log = pino({ enabled: false });
  const opened = await openSecretWriter(writer, { client, namespace: "flyte", registry, clock, log });
  onTestFinished(() => opened.close());
  await clock.advance(0);
  return { ...opened, api, followed, clock, registry };
}

test("by default it writes everywhere and follows all namespaces at once", async () => {
  const { writer, api, followed } = await open();
  await writer.write("shop-development", [SECRET], { owners: [] });
  expect(api.read(SECRET.name)?.metadata.namespace).toBe("shop-development");
  expect(followed).toEqual([undefined]);
});

test("with a list of namespaces it writes and follows there only", async () => {
  const { writer, api, followed } = await open({ namespaces: ["one", "two"] });
  await expect(writer.write("three", [SECRET], { owners: [] })).rejects.toMatchObject({
    code: "namespace_not_writable",
  });
  await writer.write("two", [SECRET], { owners: [] });
  expect(api.read(SECRET.name)?.metadata.namespace).toBe("two");
  expect(followed).toEqual(["one", "two"]);
});

test("where image-pull Secrets are enabled they are copied from their own namespace to where it writes", async () => {
  const { imagePull: none } = await open();
  expect(none).toBeUndefined();
  const { imagePull, api, followed, clock } = await open({ imagePullNamespace: "pulls", namespaces: ["one"] });
  expect(followed).toEqual(["one", "pulls"]);
  const id = { org: "flyte", domain: "", project: "", name: "registry" };
  const name = imagePullSecretName(id);
  const type = "kubernetes.io/dockerconfigjson";
  const data = { ".dockerconfigjson": Buffer.from("{}").toString("base64") };
  api.put<KubeSecret>({ apiVersion: "v1", kind: "Secret", type, metadata: { namespace: "pulls", name }, data });
  await clock.advance(0);
  expect(await imagePull?.find(id, {})).toBe(name);
  await imagePull?.copy("one", name, {});
  expect(api.read(name, "one")).toMatchObject({ type, data });
});

test("the naming key is kept beside the certificate", async () => {
  const { namingKey, api } = await open({ namingKeySecret: "hook-naming" });
  expect(api.read("hook-naming")).toMatchObject({ data: { key: Buffer.from(namingKey).toString("base64") } });
});

test("closing leaves nothing waiting", async () => {
  const { clock, close } = await open();
  expect(clock.timers).toBeGreaterThan(0);
  await close();
  expect(clock.timers).toBe(0);
});

test.each(["unusedFor", "unnamedFor"])("a %s too short to see a new pod in is refused", async (setting) => {
  await expect(open({ [setting]: 59_000 })).rejects.toMatchObject({
    code: "invalid_config",
    message: `webhook.writtenSecrets.${setting} must be 1m or more: a pod is only seen a while after its admission`,
  });
});

test("what no pod was seen to name goes no later than what pods named", async () => {
  const { writer, api, clock } = await open({ unusedFor: 120_000 });
  await writer.write("shop-development", [SECRET], { owners: [] });
  expect(api.read(SECRET.name)?.metadata.annotations).toEqual({
    "app.flyte.org/needed-until": new Date(clock.now() + 120_000).toISOString(),
    "app.flyte.org/named-by-pod": "false",
  });
});

test("metrics tell how many there are, and how many a limit refused", async () => {
  const { writer, registry } = await open({ maxUnnamed: 1 });
  const other = { ...SECRET, name: deliveredSecretName("cd".repeat(16)) };
  await writer.write("one", [SECRET], { owners: [] });
  await writer.write("two", [SECRET], { owners: [] });
  await expect(writer.write("two", [other], { owners: [] })).rejects.toMatchObject({ code: "too_many_secrets" });
  const samples = (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(samples).toEqual([
    'flyte_secrets_written_secrets{named="true"} 0',
    'flyte_secrets_written_secrets{named="false"} 2',
    'flyte_secrets_written_secrets_refused_total{setting="maxUnnamed"} 1',
  ]);
});
