import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { expect, it } from "vitest";
import { loadConfig } from "./config/load-config.ts";
import { runWebhook } from "./run-webhook.ts";

it("image-pull Secrets without a cluster to copy them in are a setting that can't be honoured", async () => {
  const home = createTemporaryDirectory();
  const flags = {
    "secret.store.path": home,
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    "webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled": "true",
  };
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
  await expect(runWebhook(config, { home, env: {}, log: pino({ enabled: false }) })).rejects.toMatchObject({
    code: "invalid_config",
    message: expect.stringMatching(/^webhook\.embeddedSecretManagerConfig\.imagePullSecrets\.enabled copies Secrets/),
  });
});
