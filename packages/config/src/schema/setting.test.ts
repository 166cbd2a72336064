import { expect, it, test } from "vitest";
import { refusal, useConfigDirectory } from "../testing/config-directory.ts";

const { loadText } = useConfigDirectory();

test.each([
  ["secret: { server: { port: '8100' } }", "server.port", 8100],
  ["secret: { kubernetes: { timeout: 1m30s } }", "kubernetes.timeout", 90_000],
  ["secret: { kubernetes: { clusterName: 12 } }", "kubernetes.clusterName", "12"],
  ["secret: { store: { path: ~/data } }", "store.path", "/home/me/data"],
  ["secret: { kubernetes: { kubeconfig: ~/kube } }", "kubernetes.kubeconfig", "/home/me/kube"],
  ["secret: { auth: { tokenFile: /t } }", "auth.tokenFile", "/t"],
  ["secret: { auth: { allowUnauthenticatedNetwork: 'True' } }", "auth.allowUnauthenticatedNetwork", true],
  ["secret: { server: { host: 0.0.0.0 } }", "server.host", "0.0.0.0"],
  ["secret: { webhookURL: 'http://w:1' }", "webhookURL", "http://w:1"],
  ["secret: { webhookURL: webhook }", "webhookURL", "webhook"],
])("reads %s", (text, path, value) => {
  expect(loadText(text)).toHaveProperty(`secret.${path}`, value);
});

test.each([
  ["logger: { level: 5 }", "debug"],
  ["logger: { level: '4' }", "info"],
  ["logger: { level: 3 }", "warn"],
  ["logger: { level: 2 }", "error"],
  ["logger: { level: 1 }", "fatal"],
  ["logger: { level: 0 }", "panic"],
  ["logger: { level: Debug }", "debug"],
])("reads %s as the level %s", (text, level) => {
  expect(loadText(text).logger.level).toBe(level);
});

test.each([["1"], ["'2'"], ["2"]])("reads kvVersion %s, quoted or not", (version) => {
  const { vaultSecretManager } = loadText(`webhook: { vaultSecretManager: { kvVersion: ${version} } }`).webhook;
  expect(vaultSecretManager.kvVersion).toBe(version.replaceAll("'", ""));
});

it("reads a namespace selector and resources as Kubernetes writes them", () => {
  const { webhook } = loadText(
    "webhook:\n  namespaceSelector: { matchLabels: { a: b } }\n  gcpSecretManager: { resources: { limits: { cpu: 1 } } }",
  );
  expect(webhook.namespaceSelector).toEqual({ matchLabels: { a: "b" } });
  expect(webhook.gcpSecretManager.resources).toEqual({
    requests: { cpu: "200m", memory: "500Mi", "ephemeral-storage": "" },
    limits: { cpu: "1", memory: "500Mi", "ephemeral-storage": "" },
  });
});

test.each([
  ["secret: { server: { port: 70000 } }", "secret.server.port must be an integer from 0 to 65535"],
  ["secret: { server: { port: http } }", "secret.server.port must be an integer from 0 to 65535"],
  ["secret: { server: { port: 1.5 } }", "secret.server.port must be an integer from 0 to 65535"],
  ["secret: { server: { port: [1] } }", "secret.server.port must be an integer from 0 to 65535"],
  ["secret: { server: { host: { a: b } } }", "secret.server.host must be a host name or an IP address"],
  ["secret: { server: { host: '' } }", "secret.server.host must be a host name or an IP address"],
  [
    "secret: { organization: Acme Inc }",
    "secret.organization must be a DNS label: 1 to 63 lower-case letters, digits and `-`, not `-` first or last",
  ],
  [
    "secret: { webhookURL: 'http://w:99999' }",
    "secret.webhookURL must be an address such as http://flyte-pod-webhook:9444, or empty",
  ],
  ["secret: { store: { path: '' } }", "secret.store.path must be a path"],
  ["secret: { store: { type: SQLite } }", "secret.store.type must be one of auto, Embedded, Kubernetes"],
  ["secret: { store: { type: constructor } }", "secret.store.type must be one of auto, Embedded, Kubernetes"],
  [
    "secret: { auth: { allowUnauthenticatedNetwork: yes } }",
    "secret.auth.allowUnauthenticatedNetwork must be true or false",
  ],
  ["secret: { kubernetes: { timeout: 30 } }", "secret.kubernetes.timeout must be a duration such as 30s or 1m30s"],
  ["secret: { kubernetes: { timeout: -1s } }", "secret.kubernetes.timeout must be a duration such as 30s or 1m30s"],
  ["secret: { kubernetes: { qps: 0 } }", "secret.kubernetes.qps must be an integer of 1 or more"],
  ["webhook: { webhookTimeout: 31 }", "webhook.webhookTimeout must be an integer from 1 to 30"],
  [
    "webhook: { secretManagerTypes: [AWS, Foo] }",
    "webhook.secretManagerTypes.1 must be a list of Global, K8s, AWS, GCP, Azure, Vault, Embedded",
  ],
  [
    "webhook: { secretEnvVarPrefix: '' }",
    "webhook.secretEnvVarPrefix must be text of at least one character; flytekit reads an empty FLYTE_SECRETS_ENV_PREFIX as _FSEC_: write `_FSEC_` or leave the key out",
  ],
  [
    "webhook: { embeddedSecretManagerConfig: { vaultConfig: { address: 'vault:8200' } } }",
    "webhook.embeddedSecretManagerConfig.vaultConfig.address must be a URL such as https://HOST:PORT, or empty",
  ],
  ["webhook: { vaultSecretManager: { kvVersion: 3 } }", "webhook.vaultSecretManager.kvVersion must be one of 1, 2"],
  [
    "webhook: { vaultSecretManager: { annotations: [1] } }",
    "webhook.vaultSecretManager.annotations must be a map of texts",
  ],
  [
    "webhook: { awsSecretManager: { resources: { limits: { cpu: lots } } } }",
    "webhook.awsSecretManager.resources.limits.cpu must be a quantity such as 500Mi or 200m",
  ],
  [
    "webhook: { scopeBinding: { trustedNamespaces: { a: b } } }",
    "webhook.scopeBinding.trustedNamespaces must be a list of texts",
  ],
  [
    "webhook: { scopeBinding: { namespaces: { team-a: [shop/development, shop] } } }",
    "webhook.scopeBinding.namespaces.team-a.1 must be PROJECT/DOMAIN, each a name or *",
  ],
  [
    "webhook: { namespaceSelector: { matchExpressions: [{ key: a, operator: Near }] } }",
    "webhook.namespaceSelector.matchExpressions.0.operator must be a Kubernetes label selector",
  ],
  ["webhook: { objectSelector: [a] }", "webhook.objectSelector must be a Kubernetes label selector"],
  [
    "webhook: { matchConditions: [{ name: '', expression: 'true' }] }",
    "webhook.matchConditions.0.name must be a list of maps with name and expression",
  ],
  ["webhook: { groupBinding: { team-a: 1 } }", "webhook.groupBinding.team-a must be a map of lists of groups"],
  ["cache: { inMemoryFixedSize: { size: big } }", "cache.inMemoryFixedSize.size must be a size such as 100M or 64Mi"],
  [
    "cache: { type: Redis }",
    "cache.type cannot be Redis: values must not leave the process; write `InMemoryFixedSize`",
  ],
  [
    "otel: { type: Jaeger }",
    "otel.type cannot be jaeger, whose own protocol is retired; Jaeger takes OTLP: write `otlphttp` and set otel.otlphttp.endpoint to http://HOST:4318/v1/traces",
  ],
  ["otel: { sampler: { traceIdRatio: 2 } }", "otel.sampler.traceIdRatio must be a number from 0 to 1"],
  [
    "secret: { server: { tls: { certFile: a.pem } } }",
    "secret.server.tls.certFile: needs secret.server.tls.keyFile beside it",
  ],
])("refuses %s with the line, the key and the rule", (text, message) => {
  const separator = message.includes(": needs") ? ": " : ": ";
  expect(refusal(() => loadText(text))).toBe(`invalid_config: config.yaml:1${separator}${message}`);
});
