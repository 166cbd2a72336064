import { loadConfig } from "@flyte-secrets/config";
import { sharedNamespace } from "@flyte-secrets/webhook";
import { expect, test } from "vitest";
import { toWebhookOptions } from "./webhook-options.ts";

const optionsOf = (flags: Record<string, string>) =>
  toWebhookOptions(loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: "/home/me", cwd: "/" }), "own");
const shared = (flags: Record<string, string>) => sharedNamespace(optionsOf(flags));
const K8S = { "webhook.embeddedSecretManagerConfig.type": "K8s" };
const APART = { ...K8S, "webhook.embeddedSecretManagerConfig.k8sConfig.namespace": "values" };

test("by Flyte's defaults pods and values share a namespace", () => {
  expect(shared(K8S)).toBe("flyte");
});

test("values have a namespace of their own where pods are elsewhere, and where they aren't in Secrets", () => {
  expect(shared(APART)).toBeUndefined();
  expect(shared({ "webhook.embeddedSecretManagerConfig.type": "Vault" })).toBeUndefined();
  expect(shared({ "secret.store.type": "Embedded" })).toBeUndefined();
});

test.each([
  { "webhook.scopeBinding.trustedNamespaces": "flyte,values" },
  { "webhook.writtenSecrets.namespaces": "values" },
  { "webhook.scopeBinding.mode": "off" },
])("they share it where %j lets pods there have secrets", (flags) => {
  expect(shared({ ...APART, ...flags })).toBe("values");
});

test("each part of the webhook gets its settings", () => {
  const options = optionsOf({
    "webhook.secretManagerType": "K8s",
    "webhook.secretManagerTypes": "Vault,AWS",
    "webhook.awsSecretManager.resources.limits.cpu": "1",
    "webhook.embeddedSecretManagerConfig.type": "AWS",
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    "webhook.secretName": "hook",
    "webhook.webhookTimeout": "7",
    "webhook.serviceName": "svc",
    "webhook.cacheInvalidationPeers": "10.0.0.0/8",
    "webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled": "true",
    "secret.imagePullNamespace": "pulls",
    "secret.organization": "acme",
    "secrets.env-prefix": "GLOBAL_",
    "actions.kubernetes.namespace": "tasks",
    "executor.metricsBindAddress": ":9090",
  });
  expect(options).toMatchObject({
    namespace: "own",
    admission: {
      managers: {
        order: ["Vault", "AWS"],
        k8s: { copies: false, optional: true },
        aws: {
          resources: { requests: { cpu: "200m", memory: "500Mi" }, limits: { cpu: "1", memory: "500Mi" } },
          initContainers: { security: "auto" },
        },
        embedded: { hasGroups: true },
      },
      guard: {
        installationNamespaces: expect.arrayContaining(["own", "tasks"]),
        protectedSecrets: ["hook", "hook-*", "flyte-secrets-*"],
      },
      global: { envPrefix: "GLOBAL_", directory: "/etc/secrets" },
      organization: "acme",
      delivery: "Inline",
      timeoutMs: 7_000,
    },
    values: { provider: "AWS", namespace: undefined },
    writer: { namingKeySecret: "hook-naming", imagePullNamespace: "pulls", unusedFor: 3_600_000 },
    endpoints: { listenPort: 9443, metricsBindAddress: ":9090" },
    certificate: { serviceName: "svc", secretName: "hook", directory: "/home/me/.flyte-secrets/webhook" },
    registration: {
      name: "svc",
      address: { service: { name: "svc", namespace: "own", port: 443 } },
      timeoutSeconds: 7,
      failurePolicy: "Fail",
    },
  });
  const { isInvalidationPeer } = options.endpoints;
  expect(["10.1.2.3", "11.1.2.3"].map((address) => isInvalidationPeer?.(address))).toEqual([true, false]);
});

test("by default Embedded is asked, values go into Secrets, and nobody invalidates without the token", () => {
  const options = optionsOf({});
  expect(options.admission).toMatchObject({ managers: { order: ["Embedded"] }, delivery: "SecretRef" });
  expect(options.writer.imagePullNamespace).toBeUndefined();
  expect(options.endpoints.isInvalidationPeer).toBeUndefined();
});

test("somebody else's registration is left alone, and a webhook outside of the cluster registers its address", () => {
  expect(optionsOf({ "webhook.disableCreateMutatingWebhookConfig": "true" }).registration).toBeUndefined();
  const url = "https://host.example.com:9443/mutate--v1-pod";
  expect(optionsOf({ "webhook.url": url }).registration?.address).toEqual({ url });
});
