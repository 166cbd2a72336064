import { expect, it, test } from "vitest";
import { refusal, useConfigDirectory } from "./testing/config-directory.ts";

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
