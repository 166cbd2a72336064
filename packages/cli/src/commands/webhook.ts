import cluster from "node:cluster";
import { once } from "node:events";
import type { Config } from "@flyte-secrets/config";
import { SecretsError } from "@flyte-secrets/core";
import type { RunningWebhook } from "@flyte-secrets/webhook";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

const MAX_WORKERS = 64;

interface WebhookOptions extends SettingOptions {
  readonly port?: string;
  readonly workers: string;
}

/** `webhook`: the pod webhook alone, until Ctrl-C or SIGTERM. */
export function webhookCommand(cli: CliContext): Command {
  const command = new Command("webhook")
    .summary("Run the pod webhook alone")
    .description(
      "Run the webhook that gives pods their secrets, without the secret service, until Ctrl-C. In a cluster, or " +
        "with --secret.kubernetes.kubeconfig, it keeps its certificate in a Secret and registers itself; elsewhere " +
        "it makes a certificate in the data directory, and with delivery Inline writes nothing anywhere.",
    )
    .option("--port <port>", "HTTPS port of the admission, 0 for a free one (webhook.listenPort)")
    .option("--workers <number>", "processes that serve on the same ports", "1");
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "webhook -c '/etc/flyte/config.d/*.yaml' --workers 2",
        "webhook --port 9443 --webhook.embeddedSecretManagerConfig.delivery Inline",
      ),
    )
    .action(async () => {
      const options = mergeOptions<WebhookOptions>(command);
      const workers = parseWorkers(options.workers);
      const config = await readConfig(options, cli, {
        "--port": { setting: "webhook.listenPort", value: options.port },
      });
      await serve(config, workers, cli);
    });
}

async function serve(config: Config, workers: number, cli: CliContext): Promise<void> {
  const { createLogger } = await import("@flyte-secrets/http");
  const { serveAsWorker, startWebhook, startWorkers } = await import("@flyte-secrets/webhook");
  const { ownNamespace } = await import("../configured/own-namespace.ts");
  const { toWebhookOptions } = await import("../configured/webhook-options.ts");
  const options = toWebhookOptions(config, ownNamespace(config, cli));
  const parts = { log: createLogger(config.logger), env: cli.env, home: cli.home };
  if (cluster.isWorker) return await serveAsWorker(options, parts);
  const interrupted = cli.interruption();
  const webhook =
    workers === 1 ? await startWebhook(options, parts) : await startWorkers({ count: workers, log: parts.log });
  cli.stdout.write(startBanner(webhook.ports));
  if (!interrupted.aborted) await once(interrupted, "abort");
  await webhook.close();
}

function startBanner({ admission, invalidation, probes, metrics }: RunningWebhook["ports"]): string {
  const lines = [
    `Admission on port     ${admission} (HTTPS, path /mutate--v1-pod)`,
    ...(invalidation === undefined ? [] : [`Invalidation on port  ${invalidation}`]),
    ...(probes === undefined ? [] : [`Probes on port        ${probes}`]),
    ...(metrics === undefined ? [] : [`Metrics on port       ${metrics}`]),
    "Stop: Ctrl-C",
  ];
  return `${lines.join("\n")}\n`;
}

function parseWorkers(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= MAX_WORKERS) return number;
  throw new SecretsError("usage", `--workers must be a number from 1 to ${MAX_WORKERS}`);
}
