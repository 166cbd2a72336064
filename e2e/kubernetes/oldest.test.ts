import { imagePullSecretName, type SecretId, SecretValue, systemClock } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import type { KubernetesStore } from "@flyte-secrets/store";
import { describeSecretStore } from "@flyte-secrets/testkit/vitest";
import { sweepSecrets, watchDeliveredSecrets } from "@flyte-secrets/webhook";
import { ask, taskPod } from "@flyte-secrets/webhook/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { OLDEST_KUBERNETES, requireKubernetes } from "./cluster.ts";
import { connect, log, useStores } from "./store-fixture.ts";
import { type RegisteredWebhook, startRegisteredWebhook } from "./webhook-process.ts";
import { WEBHOOK_NAMESPACE, WEBHOOK_RULES } from "./webhook-replicas.ts";

/**
 * What hangs on the API server's version: the store's contract, and a pod's way through registration, webhook and
 * sweeper.
 */
describeWith(
  requireKubernetes(OLDEST_KUBERNETES),
  `Kubernetes ${OLDEST_KUBERNETES}, the oldest that is maintained`,
  () => {
    const { cluster, openIn, startHarness } = useStores(OLDEST_KUBERNETES);

    describeSecretStore("the Kubernetes store", startHarness);

    describe("a pod on its way", () => {
      const REGISTRY: SecretId = { org: "flyte", domain: "", project: "", name: "registry" };
      /** Where the API server is to send reviews of the older version. */
      const BETA = "beta";
      let store: KubernetesStore;
      let webhook: RegisteredWebhook;
      let kubeconfig: string;
      let pods = 0;

      beforeAll(async () => {
        for (const namespace of ["p-d", BETA]) await cluster().kubectl(["create", "namespace", namespace]);
        store = await openIn(WEBHOOK_NAMESPACE);
        const value = SecretValue.fromText('{"auths":{}}');
        await store.create(REGISTRY, { value, type: "image_pull" });
        const account = { namespace: WEBHOOK_NAMESPACE, name: "webhook", rules: WEBHOOK_RULES };
        kubeconfig = await cluster().createAccount(account);
        const except = { key: "kubernetes.io/metadata.name", operator: "NotIn", values: [BETA] };
        webhook = await startRegisteredWebhook(kubeconfig, {
          name: "webhook",
          "webhook.namespaceSelector": JSON.stringify({ matchExpressions: [except] }),
          "webhook.scopeBinding.trustedNamespaces": BETA,
          "webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled": "true",
        });
      });
      afterAll(async () => {
        await webhook?.stop();
        await store?.close();
      });

      /** What is stored of a pod that asks for the secret. */
      async function create(namespace: string, ...flags: string[]) {
        const pod = taskPod([ask(REGISTRY.name, { mountRequirement: 1 })]);
        const metadata = { ...pod.metadata, namespace, name: `pod-${++pods}` };
        const args = ["create", "-o", "json", ...flags, "-f", "-"];
        return JSON.parse(await cluster().kubectl(args, JSON.stringify({ ...pod, metadata })));
      }

      /** The API server hears of a registration a moment later. */
      async function untilMutated(namespace: string): Promise<void> {
        const isMutated = async () => (await create(namespace, "--dry-run=server")).spec.imagePullSecrets !== undefined;
        await vi.waitUntil(isMutated, { timeout: 20_000, interval: 100 });
      }

      async function written(namespace: string): Promise<string[]> {
        const selected = ["-l", "app.flyte.org/managed-by=flyte-secrets-webhook", "-o", "json"];
        const { items } = JSON.parse(await cluster().kubectl(["get", "secrets", "-n", namespace, ...selected]));
        return items.map(({ metadata }: KubeSecret) => metadata.name).toSorted();
      }

      async function expectServed(namespace: string): Promise<void> {
        await untilMutated(namespace);
        expect(await written(namespace)).toEqual([]);
        const { spec } = await create(namespace);
        const [name, pulled] = await written(namespace);
        expect(name).toMatch(/^flyte-secrets-[0-9a-f]{32}$/);
        expect(pulled).toBe(imagePullSecretName(REGISTRY));
        expect(spec.imagePullSecrets).toEqual([{ name: pulled }]);
        expect(spec.containers[0].env[0].valueFrom.secretKeyRef.name).toBe(name);
      }

      test("it gets its Secrets, and none on a dry run", async () => {
        const { gitVersion } = JSON.parse(await cluster().kubectl(["get", "--raw", "/version"]));
        expect(gitVersion).toBe(`v${OLDEST_KUBERNETES}`);
        await expectServed("p-d");
      });

      test("it gets them by a review of version v1beta1 too", async () => {
        const configuration = ["mutatingwebhookconfiguration", "webhook", "-o", "json"];
        const { webhooks, ...registered } = JSON.parse(await cluster().kubectl(["get", ...configuration]));
        const beta = {
          ...webhooks[0],
          admissionReviewVersions: ["v1beta1"],
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": BETA } },
        };
        const copy = { ...registered, metadata: { name: BETA }, webhooks: [beta] };
        await cluster().kubectl(["create", "-f", "-"], JSON.stringify(copy));
        await expectServed(BETA);
      });

      test("its Secrets are collected when it is gone", async () => {
        await cluster().kubectl(["delete", "pods", "--all", "-n", "p-d", "--force", "--grace-period=0"]);
        const client = connect(kubeconfig);
        const follower = watchDeliveredSecrets({ client, namespace: undefined, clock: systemClock, log });
        await follower.synced;
        const clock = { ...systemClock, now: () => systemClock.now() + 7_200_000 };
        const lifetimes = { unusedMs: 3_600_000, unnamedMs: 600_000 };
        await sweepSecrets({ client, written: [follower], lifetimes, clock, log }, new AbortController().signal);
        await follower.close();
        client.close();
        expect(await written("p-d")).toEqual([]);
        expect(await written(BETA)).toHaveLength(2);
      });
    });
  },
);
