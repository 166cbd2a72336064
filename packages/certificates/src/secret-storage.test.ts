import { systemClock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { SECRETS } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { pino } from "pino";
import { expect, test } from "vitest";
import { createSecretStorage } from "./secret-storage.ts";

const WHERE = { namespace: "flyte", name: "flyte-pod-webhook" };
const CERTIFICATE = { cert: "certificate", key: "key", ca: "authority" };

test("an empty Secret of an installer is filled, stays labelled as its, and holds a certificate of ours", async () => {
  const api = createMemoryApi();
  const labels = { "app.kubernetes.io/managed-by": "Helm" };
  api.put({ apiVersion: "v1", kind: "Secret", metadata: { ...WHERE, labels } });
  // The storage needs no more of it.
  const client = api.client as KubeClient;
  const storage = createSecretStorage({ client, ...WHERE, clock: systemClock, log: pino({ enabled: false }) });
  expect(await (await storage.read())?.replace(CERTIFICATE)).toBe(true);
  expect(await storage.read()).toMatchObject({ certificate: CERTIFICATE, foreign: false });
  expect((await api.client.get(SECRETS, WHERE))?.metadata.labels).toMatchObject(labels);
});
