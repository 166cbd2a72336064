import { expect, it } from "vitest";
import { listSettings } from "../list-settings.ts";
import { refusal, useConfigDirectory } from "../testing/config-directory.ts";

const { load, loadText } = useConfigDirectory();

it("reads both spellings, the dotted one first, above the files; flags above all", () => {
  const file = "secret: { server: { port: 1 } }";
  const ours = { SECRET_SERVER_PORT: "2" };
  const both = { ...ours, "SECRET.SERVER.PORT": "3" };
  expect(loadText(file).secret.server.port).toBe(1);
  expect(loadText(file, { env: ours }).secret.server.port).toBe(2);
  expect(loadText(file, { env: both }).secret.server.port).toBe(3);
  expect(loadText(file, { env: both, flags: { "--Secret.Server.Port": "4" } }).secret.server.port).toBe(4);
});

it("writes dashes as underscores, and reads lists, maps and aliases", () => {
  const config = load({
    env: {
      "SECRETS.ENV_PREFIX": "A_",
      LOGGER_SHOW_SOURCE: "true",
      WEBHOOK_SECRETMANAGERTYPES: "K8s, aws",
      WEBHOOK_VAULTSECRETMANAGER_ANNOTATIONS: '{"a":"b"}',
      "FLYTE_POD_WEBHOOK.LISTENPORT": "1",
      "WEBHOOK.SCOPEBINDING.TRUSTEDCREATORS": "[x, 'group:y']",
    },
  });
  expect(config.secrets["env-prefix"]).toBe("A_");
  expect(config.logger["show-source"]).toBe(true);
  expect(config.webhook.secretManagerTypes).toEqual(["K8s", "AWS"]);
  expect(config.webhook.vaultSecretManager.annotations).toEqual({ a: "b" });
  expect(config.webhook.listenPort).toBe(1);
  expect(config.webhook.scopeBinding.trustedCreators).toEqual(["x", "group:y"]);
});

it("takes an empty variable for none", () => {
  expect(load({ env: { SECRET_SERVER_PORT: "" } }).secret.server.port).toBe(8093);
});

it("names the variable or flag in an error", () => {
  expect(refusal(() => load({ env: { SECRET_SERVER_PORT: "tcp://10.0.0.1:80" } }))).toBe(
    "invalid_config: environment variable SECRET_SERVER_PORT: secret.server.port must be an integer from 0 to 65535",
  );
  expect(refusal(() => load({ flags: { "webhook.listenPort": "x" } }))).toBe(
    "invalid_config: flag --webhook.listenPort: webhook.listenPort must be an integer from 0 to 65535",
  );
  expect(refusal(() => load({ flags: { "secret.server.prt": "1" } }))).toBe(
    "invalid_config: flag --secret.server.prt: unknown key secret.server.prt; did you mean secret.server.port?",
  );
  expect(refusal(() => load({ flags: { "secrt.server": "1" } }))).toBe(
    "invalid_config: flag --secrt.server: unknown key secrt; did you mean secret?",
  );
  expect(refusal(() => load({ flags: { "secret.server": "1" } }))).toBe(
    "invalid_config: flag --secret.server: secret.server is a section; its keys are host, port, tls, probeBindAddress, metricsBindAddress, allowedHosts, limits",
  );
});

it("has no variable that two settings share", () => {
  const variables = listSettings().flatMap((setting) => setting.variables);
  expect(variables.length).toBe(new Set(variables).size);
});
