import { SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { createMemoryApi, type MemoryApi } from "@flyte-secrets/kube/testing";
import pino from "pino";
import { beforeEach, expect, test } from "vitest";
import { createFormerNamespaceCheck } from "./namespaces.ts";

const log = pino({ level: "silent" });
let api: MemoryApi;
let asked: string[];
let client: Pick<KubeClient, "list">;

beforeEach(() => {
  api = createMemoryApi();
  asked = [];
  client = {
    list(resource, query) {
      asked.push(query.namespace ?? "");
      return api.client.list(resource, query);
    },
  };
});

const keep = (namespace: string, labels: Record<string, string> = { "app.flyte.org/managed": "true" }) =>
  api.put({ apiVersion: "v1", kind: "Secret", metadata: { namespace, name: `in-${namespace}`, labels } });
const createCheck = (former = "flyte") => createFormerNamespaceCheck({ client, namespace: "values", former, log });

const LEFT_BEHIND = {
  code: "store_unavailable",
  message:
    "namespace values has no managed Secrets and flyte has some: copy them with `flyte-secrets copy-secrets --from flyte --to values`, " +
    'keep secret.kubernetes.namespace flyte, or set secret.kubernetes.formerNamespace to "" to begin anew',
};

test("the check fails while there are secrets in the former namespace and none in the new one", async () => {
  keep("flyte");
  const check = createCheck();
  await expect(check()).rejects.toMatchObject(LEFT_BEHIND);
  await expect(check()).rejects.toMatchObject(LEFT_BEHIND);
  keep("values");
  await check();
});

test("once it has passed, the check makes no more calls", async () => {
  const check = createCheck();
  await check();
  expect(asked).toEqual(["values", "flyte"]);
  keep("flyte");
  await check();
  expect(asked).toHaveLength(2);
});

test("Secrets of others in the former place are nobody's to copy", async () => {
  keep("flyte", {});
  await createCheck()();
});

test.each(["", "values"])("with the former place %j nobody is asked", async (former) => {
  await createCheck(former)();
  expect(asked).toEqual([]);
});

test("a former place that may not be looked at holds nothing up", async () => {
  client = {
    list(resource, query) {
      if (query.namespace === "flyte")
        throw new SecretsError("credentials_refused", "we have no permission to list secrets");
      return api.client.list(resource, query);
    },
  };
  await createCheck()();
});

test("an API server that can't be reached fails the check, which is made again", async () => {
  const fault = new SecretsError("store_unavailable", "away");
  client = { list: () => Promise.reject(fault) };
  const check = createFormerNamespaceCheck({
    client: { list: (...args) => client.list(...args) },
    namespace: "values",
    former: "flyte",
    log,
  });
  await expect(check()).rejects.toBe(fault);
  client = api.client;
  await check();
});
