// The webhook as a program of its own, over an embedded store: told over IPC what to serve with, answers with its
// ports. Ends on SIGTERM as the command does.

import { toWebhookOptions } from "@flyte-secrets/cli/configured";
import { loadConfig } from "@flyte-secrets/config";
import { createLogger } from "@flyte-secrets/http";
import { startWebhook } from "@flyte-secrets/webhook";

export interface WebhookOrder {
  readonly home: string;
  readonly flags: Readonly<Record<string, string>>;
  readonly certificate: { readonly cert: string; readonly key: string };
  /** How long it goes on after SIGTERM. */
  readonly graceMs: number;
}

process.once("message", async ({ home, flags, certificate, graceMs }: WebhookOrder) => {
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
  const webhook = await startWebhook(toWebhookOptions(config, "flyte"), {
    log: createLogger(config.logger),
    env: {},
    home: "/",
    certificates: {
      current: () => ({ ...certificate, ca: certificate.cert }),
      onChange: () => () => {},
      close: async () => {},
    },
  });
  process.once("SIGTERM", () => void webhook.close({ graceMs }).then(() => process.disconnect()));
  process.send?.(webhook.ports);
});
