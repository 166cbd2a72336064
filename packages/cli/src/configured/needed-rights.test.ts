import { loadConfig } from "@flyte-secrets/config";
import type { NeededRights } from "@flyte-secrets/kube";
import { webhookRights } from "@flyte-secrets/webhook";
import { expect, it } from "vitest";
import { serviceRights } from "./service-rights.ts";
import { toWebhookOptions } from "./webhook-options.ts";

/** Verbs, resource, namespace and name of what is needed, in one line each. */
function needed(
  component: NeededRights["component"],
  flags: Record<string, string>,
  keepsCertificate = true,
): string[] {
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: "/nowhere", cwd: "/" });
  const namespace = "own";
  const rights =
    component === "service"
      ? serviceRights(config, namespace)
      : webhookRights(toWebhookOptions(config, namespace), { keepsCertificate });
  return rights.map(
    ({ verbs, resource, namespace = "*", name = "*", makes, fills }) =>
      `${verbs.join()} ${resource} ${namespace}/${name}${makes ? ` for ${makes}` : ""}${fills ? " if empty" : ""}`,
  );
}

const CERTIFICATE = [
  "create secrets own/* for flyte-pod-webhook",
  "get,list,watch,update secrets own/flyte-pod-webhook",
];

it("asks nothing of the cluster for a service with a store of its own", () => {
  expect(needed("service", { "secret.store.type": "Embedded" })).toEqual([]);
});

it("asks for the namespace of the image-pull secrets apart, where it is another", () => {
  const flags = { "secret.store.type": "Kubernetes", "secret.kubernetes.namespace": "vault" };
  expect(needed("service", { ...flags, "secret.imagePullNamespace": "vault" })).toEqual([
    "create,get,update,delete,list secrets vault/*",
    "watch secrets vault/*",
  ]);
  expect(needed("service", { ...flags, "secret.imagePullNamespace": "images" })).toEqual([
    "create,get,update,delete,list secrets vault/*",
    "watch secrets vault/*",
    "create,get,update,delete secrets images/*",
  ]);
});

it("does not ask to watch the secrets where every call asks the API server", () => {
  const flags = { "secret.store.type": "Kubernetes", "secret.imagePullNamespace": "flyte" };
  expect(needed("service", { ...flags, "secret.kubernetes.consistency": "strong" })).toEqual([
    "create,get,update,delete,list secrets flyte/*",
  ]);
});

it("asks for no more than the certificate where others register the webhook, and values go into the pod", () => {
  expect(
    needed("webhook", {
      "webhook.disableCreateMutatingWebhookConfig": "true",
      "webhook.embeddedSecretManagerConfig.type": "AWS",
      "webhook.embeddedSecretManagerConfig.awsConfig.region": "eu-west-1",
      "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    }),
  ).toEqual(CERTIFICATE);
});

it("asks for the namespaces of the cluster where their labels say what pods may claim", () => {
  const flags = {
    "webhook.disableCreateMutatingWebhookConfig": "true",
    "webhook.embeddedSecretManagerConfig.type": "Vault",
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    "webhook.scopeBinding.namespaceLabels": "true",
  };
  expect(needed("webhook", flags)).toEqual([...CERTIFICATE, "get,list,watch namespaces */*"]);
  expect(needed("webhook", { ...flags, "webhook.scopeBinding.mode": "off" })).toEqual(CERTIFICATE);
});

it("asks for none on a certificate that others keep", () => {
  const flags = {
    "webhook.disableCreateMutatingWebhookConfig": "true",
    "webhook.embeddedSecretManagerConfig.type": "K8s",
  };
  expect(needed("webhook", { ...flags, "webhook.embeddedSecretManagerConfig.delivery": "Inline" }, false)).toEqual([
    "get,list,watch secrets flyte/*",
  ]);
});

it("asks to read image-pull secrets where they are to be copied, and to write where only the values are", () => {
  const flags = {
    "webhook.disableCreateMutatingWebhookConfig": "true",
    "webhook.embeddedSecretManagerConfig.type": "K8s",
    "webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled": "true",
    "secret.imagePullNamespace": "images",
    "webhook.writtenSecrets.namespaces": "flyte",
  };
  expect(needed("webhook", flags, false)).toEqual([
    "get,list,watch secrets flyte/*",
    "get,list,watch secrets images/*",
    "create secrets own/* for flyte-pod-webhook-naming",
    "get secrets own/flyte-pod-webhook-naming",
    "update secrets own/flyte-pod-webhook-naming if empty",
    "create,get,list,watch,patch,delete secrets flyte/*",
    "list pods flyte/*",
  ]);
});

it("asks to write for image-pull secrets alone, where values go into the pod", () => {
  const flags = {
    "webhook.disableCreateMutatingWebhookConfig": "true",
    "webhook.embeddedSecretManagerConfig.type": "Vault",
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    "webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled": "true",
    "secret.imagePullNamespace": "images",
    "webhook.writtenSecrets.namespaces": "tasks,images",
  };
  expect(needed("webhook", flags, false)).toEqual([
    "get,list,watch secrets images/*",
    "create secrets own/* for flyte-pod-webhook-naming",
    "get secrets own/flyte-pod-webhook-naming",
    "update secrets own/flyte-pod-webhook-naming if empty",
    "create,get,list,watch,patch,delete secrets tasks/*",
    "list pods tasks/*",
  ]);
  // Values that come from elsewhere are written beside the image-pull secrets too.
  expect(needed("webhook", { ...flags, "webhook.embeddedSecretManagerConfig.delivery": "SecretRef" }, false)).toContain(
    "create,get,list,watch,patch,delete secrets images/*",
  );
});

it("asks to write only in the namespaces that are listed, and not where the values are", () => {
  const flags = { "webhook.embeddedSecretManagerConfig.type": "K8s", "webhook.writtenSecrets.namespaces": "a,flyte,b" };
  expect(needed("webhook", flags)).toEqual([
    ...CERTIFICATE,
    "create mutatingwebhookconfigurations */* for flyte-pod-webhook",
    "list,watch,update mutatingwebhookconfigurations */flyte-pod-webhook",
    "get,list,watch secrets flyte/*",
    "create secrets own/* for flyte-pod-webhook-naming",
    "get secrets own/flyte-pod-webhook-naming",
    "update secrets own/flyte-pod-webhook-naming if empty",
    "create,get,list,watch,patch,delete secrets a/*",
    "list pods a/*",
    "create,get,list,watch,patch,delete secrets b/*",
    "list pods b/*",
  ]);
});

it("asks both parts for the Secret of the token by which they know each other, unless a file has it", () => {
  const flags = { "secret.store.type": "Embedded", "webhook.cacheInvalidationTokenSecret": "token" };
  const token = ["create secrets own/* for token", "get secrets own/token", "update secrets own/token if empty"];
  expect(needed("service", flags)).toEqual(token);
  expect(needed("webhook", flags).slice(-3)).toEqual(token);
  expect(needed("service", { ...flags, "webhook.cacheInvalidationTokenFile": "/token" })).toEqual([]);
});

it("asks the service for the Secret of its certificate, unless that is in files", () => {
  const flags = { "secret.store.type": "Embedded", "secret.server.tls.secretName": "tls" };
  expect(needed("service", flags)).toEqual(["create secrets own/* for tls", "get,list,watch,update secrets own/tls"]);
  const files = { "secret.server.tls.certFile": "/tls.crt", "secret.server.tls.keyFile": "/tls.key" };
  expect(needed("service", { ...flags, ...files })).toEqual([]);
});
