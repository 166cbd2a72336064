// Configuration as Flyte's charts render it and as its guides show it: keys and values of testdata, and what each comes
// to here.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it, test } from "vitest";
import type { Config } from "./schema/config-schema.ts";
import { refusal, useConfigDirectory } from "./testing/config-directory.ts";

const { load, loadText } = useConfigDirectory();

const TESTDATA = join(import.meta.dirname, "../testdata");
const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

/** What may be different from the defaults. */
type Changed = { readonly [S in keyof Config]?: Partial<Config[S]> };

function expectDefaultsBut(files: string, change: (defaults: Config) => Changed): void {
  const defaults = load({ env });
  const changed = change(defaults);
  const merged = Object.fromEntries(
    Object.entries(defaults).map(([section, settings]) => [
      section,
      { ...settings, ...changed[section as keyof Config] },
    ]),
  );
  expect(load({ env, files: [join(TESTDATA, files)] })).toEqual(merged);
}

const CHARTS: Record<string, (defaults: Config) => Changed> = {
  binary: ({ secret }) => ({
    secret: {
      kubernetes: { ...secret.kubernetes, clusterName: "flyte-binary" },
      server: { ...secret.server, host: "0.0.0.0" },
    },
    webhook: {
      certDir: "/var/run/flyte/certs",
      localCert: true,
      secretName: "flyte-flyte-binary-webhook-secret",
      serviceName: "flyte-flyte-binary-webhook",
      secretManagerTypes: ["Embedded"],
    },
    logger: { level: "fatal", "show-source": true },
  }),
  "core-secret": ({ secret }) => ({
    secret: {
      kubernetes: { ...secret.kubernetes, clusterName: "flyte-core" },
      server: { ...secret.server, host: "0.0.0.0" },
      webhookURL: "http://flyte-flyte-core-webhook-headless.flyte.svc.cluster.local:9444",
    },
    logger: { level: "info", "show-source": true },
  }),
  "core-executor": ({ secret, webhook }) => ({
    secret: { ...secret, imagePullNamespace: "tasks" },
    webhook: {
      localCert: true,
      serviceName: "flyte-flyte-core-webhook",
      scopeBinding: { ...webhook.scopeBinding, trustedNamespaces: ["tasks"] },
    },
    actions: { kubernetes: { namespace: "tasks" } },
    logger: { level: "info", "show-source": true },
  }),
};

test.each(Object.keys(CHARTS))("what Flyte's charts render for %s", (chart) => {
  expectDefaultsBut(`flyte-charts/${chart}/*.yaml`, (defaults) => CHARTS[chart]?.(defaults) ?? {});
});

const embedded = ({ webhook }: Config, changed: Partial<Config["webhook"]["embeddedSecretManagerConfig"]>) => ({
  embeddedSecretManagerConfig: { ...webhook.embeddedSecretManagerConfig, ...changed },
});

const GUIDES: Record<string, (defaults: Config) => Changed> = {
  "several-managers": () => ({
    webhook: { secretManagerTypes: ["K8s", "AWS", "Vault"], secretEnvVarPrefix: "_FLYTE_" },
  }),
  "aws-sidecar": () => ({ webhook: { secretManagerTypes: ["AWS"] } }),
  "aws-embedded": (defaults) => ({
    webhook: {
      secretManagerTypes: ["Embedded"],
      ...embedded(defaults, { type: "AWS", awsConfig: { region: "us-west-2", endpoint: "" } }),
    },
  }),
  "aws-short": (defaults) => ({
    webhook: {
      awsSecretManager: { ...defaults.webhook.awsSecretManager, enabled: true, region: "us-east-1" },
      ...embedded(defaults, { type: "AWS", awsConfig: { region: "us-east-1", endpoint: "" } }),
    },
  }),
  "gcp-sidecar": () => ({ webhook: { secretManagerTypes: ["GCP"] } }),
  "gcp-embedded": (defaults) => ({
    webhook: embedded(defaults, { type: "GCP", gcpConfig: { project: "my-gcp-project", endpoint: "" } }),
  }),
  "azure-sidecar": () => ({ webhook: { secretManagerTypes: ["Azure"] } }),
  "azure-embedded": (defaults) => ({
    webhook: {
      secretManagerTypes: ["Azure", "Embedded"],
      ...embedded(defaults, { type: "Azure", azureConfig: { vaultURI: "https://my-vault.vault.azure.net/" } }),
    },
  }),
  vault: () => ({
    webhook: {
      secretManagerTypes: ["Vault"],
      vaultSecretManager: {
        role: "flyte-role",
        kvVersion: "2",
        annotations: { "vault.hashicorp.com/auth-type": "kubernetes" },
      },
    },
  }),
  "vault-version-1": () => ({
    webhook: { secretManagerType: "Vault", vaultSecretManager: { role: "flyte", kvVersion: "1", annotations: {} } },
  }),
  "kubernetes-namespace": (defaults) => ({
    secret: { kubernetes: { ...defaults.secret.kubernetes, namespace: "flyte-secrets" } },
    webhook: {
      kubernetes: { namespace: "flyte-secrets" },
      ...embedded(defaults, {
        k8sConfig: { ...defaults.webhook.embeddedSecretManagerConfig.k8sConfig, namespace: "flyte-secrets" },
        imagePullSecrets: { enabled: true },
      }),
    },
  }),
  "user-guide-variables": () => ({
    webhook: { secretManagerTypes: ["K8s"], secretEnvVarPrefix: "FLYTE_SECRETS_" },
  }),
  global: () => ({ webhook: { secretManagerType: "Global" } }),
};

test.each(Object.keys(GUIDES))("what Flyte's guides say for %s", (guide) => {
  expectDefaultsBut(`flyte-guides/${guide}.yaml`, (defaults) => GUIDES[guide]?.(defaults) ?? {});
});

it("has an expectation for every file", () => {
  const guides = readdirSync(join(TESTDATA, "flyte-guides")).map((file) => file.replace(/\.yaml$/, ""));
  expect(guides.sort()).toEqual(Object.keys(GUIDES).sort());
  expect(readdirSync(join(TESTDATA, "flyte-charts")).sort()).toEqual(Object.keys(CHARTS).sort());
});

test.each([
  [
    "webhook: { embeddedSecretManagerConfig: { enabled: true, type: Azure } }",
    "unknown key webhook.embeddedSecretManagerConfig.enabled; list Embedded in webhook.secretManagerTypes instead",
  ],
  [
    "webhook: { gcpSecretManager: { enabled: true } }",
    "unknown key webhook.gcpSecretManager.enabled; list GCP in webhook.secretManagerTypes instead",
  ],
  [
    "webhook: { gcpSecretManager: { project: p } }",
    "unknown key webhook.gcpSecretManager.project; did you mean webhook.embeddedSecretManagerConfig.gcpConfig.project?",
  ],
  [
    "webhook: { secretManagerTypes: [K8s, Confidant] }",
    "webhook.secretManagerTypes.1 must be a list of Global, K8s, AWS, GCP, Azure, Vault, Embedded",
  ],
  [
    "cache: { type: Redis }",
    "cache.type cannot be Redis: values must not leave the process; write `InMemoryFixedSize`",
  ],
  [
    "cache: { type: Redis, redis: { options: {} } }",
    "unknown key cache.redis; values must not leave the process: leave it out, with cache.type InMemoryFixedSize",
  ],
])("refuses %s with what to write instead", (text, message) => {
  expect(refusal(() => loadText(text))).toBe(`invalid_config: config.yaml:1: ${message}`);
});
