import { expect, it, test } from "vitest";
import { refusal, useConfigDirectory } from "../testing/config-directory.ts";

const { load, loadText } = useConfigDirectory();

it("matches sections, keys and names of enums without regard to case", () => {
  const { secret, webhook } = loadText(
    "SECRET: { Server: { PORT: 9 }, STORE: { type: embedded } }\nWebhook: { SECRETMANAGERTYPES: [k8S, embedded], secretenvvarnaming: POSIX }",
  );
  expect([secret.server.port, secret.store.type]).toEqual([9, "Embedded"]);
  expect([webhook.secretManagerTypes, webhook.secretEnvVarNaming]).toEqual([["K8s", "Embedded"], "posix"]);
});

it.each(["flyte-pod-webhook", "secretsWebhook", "webhook"])("reads %s as the webhook's section", (name) => {
  expect(loadText(`${name}: { listenPort: 1234 }`).webhook.listenPort).toBe(1234);
});

it("reads a list of one-key maps as a map, for sections and for maps of texts", () => {
  const { secret, webhook } = loadText(
    "secret:\n  - server:\n      - port: 7\n      - host: h\nwebhook:\n  vaultSecretManager: { annotations: [{ a/b: c }, { d: 1 }] }",
  );
  expect(secret.server).toMatchObject({ port: 7, host: "h" });
  expect(webhook.vaultSecretManager.annotations).toEqual({ "a/b": "c", d: "1" });
});

it("follows anchors and merge keys", () => {
  const { secret } = loadText("anchors: &server { port: 8 }\nsecret:\n  server:\n    <<: *server\n    host: h");
  expect(secret.server).toMatchObject({ port: 8, host: "h" });
});

it("ignores other sections, further keys of executor, and keys without a value", () => {
  const config = loadText(
    "admin: { endpoint: x }\nplugins: [1, 2]\nexecutor: { healthProbeBindAddress: ':1', evaluatorCount: 3 }\nsecret: { server: { port: , host: ~ } }",
  );
  expect(config.executor.healthProbeBindAddress).toBe(":1");
  expect(config.secret.server).toEqual(load().secret.server);
});

test.each([
  ["webhok: { listenPort: 1 }", "config.yaml:1: unknown section webhok; did you mean webhook?"],
  ["\nSercet: { server: { port: 1 } }", "config.yaml:2: unknown section Sercet; did you mean secret?"],
  ["secretsWebhooks: {}", "config.yaml:1: unknown section secretsWebhooks; did you mean secretswebhook?"],
  ["flyte-pod-webook: 7", "config.yaml:1: unknown section flyte-pod-webook; did you mean flyte-pod-webhook?"],
  [
    "executor:\n  healthProbBindAddress: ':1'",
    "config.yaml:2: unknown key executor.healthProbBindAddress; did you mean executor.healthProbeBindAddress?",
  ],
])("takes %j for a typing error, though other sections and keys are somebody else's", (text, message) => {
  expect(refusal(() => loadText(text))).toBe(`invalid_config: ${message}`);
});

// https://github.com/flyteorg/flyte and flyte-binary's values: every section that its configurations have.
const FLYTES = [
  ..."admin app apps auth authorizer cache_service cacheservice catalog-cache cloudEvents cluster_resources database dataproxy".split(
    " ",
  ),
  ..."domains enqueue-labels events externalEvents flyteadmin k8s k8s-array kubernetes manager notifications otel plugins".split(
    " ",
  ),
  ..."propeller queue queues remoteData rawoutput-prefix runs runtime sandbox scheduler server storage sync task_resources".split(
    " ",
  ),
  ..."task_resource_defaults task_type_whitelist tasks tasklogs union workqueue connector connectorService console features".split(
    " ",
  ),
];

it("takes none of Flyte's own sections for a typing error", () => {
  expect(() => loadText(FLYTES.map((name) => `${name}: {}`).join("\n"))).not.toThrow();
});

test.each([
  [
    "secret:\n  server:\n    prot: 1",
    "config.yaml:3: unknown key secret.server.prot; did you mean secret.server.port?",
  ],
  [
    "secret:\n  # a comment\n  sever:\n    port: 1",
    "config.yaml:3: unknown key secret.sever; did you mean secret.server?",
  ],
  ["secret:\n  port: 1", "config.yaml:2: unknown key secret.port; did you mean secret.server.port?"],
  [
    "webhook: { secretEnvVarPrefx: X }",
    "config.yaml:1: unknown key webhook.secretEnvVarPrefx; did you mean webhook.secretEnvVarPrefix?",
  ],
  [
    "secret:\n- server:\n  - x: 1",
    "config.yaml:3: unknown key secret.server.x; the keys of secret.server are host, port, tls, probeBindAddress, metricsBindAddress, allowedHosts, limits",
  ],
  [
    "logger: { constructor: 1 }",
    "config.yaml:1: unknown key logger.constructor; the keys of logger are level, show-source, mute, formatter",
  ],
  [
    `logger: { ${"x".repeat(5_000)}: 1 }`,
    `config.yaml:1: unknown key logger.${"x".repeat(120 - "logger.".length)}…; the keys of logger are level, show-source, mute, formatter`,
  ],
  ["secret: 5", "config.yaml:1: secret must be a map"],
  ["secret:\n  - 5", "config.yaml:1: secret must be a map"],
  ["- 5", "config.yaml:1: the document must be a map"],
])("refuses %j", (text, message) => {
  expect(refusal(() => loadText(text))).toBe(`invalid_config: ${message}`);
});
