import { once } from "node:events";
import type { Config, RunningSystem, RunningWebhook } from "@flyte-secrets/server";
import { Command, Option } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

interface ServeOptions extends SettingOptions {
  readonly host?: string;
  readonly port?: string;
  readonly auth?: "token" | "oidc" | "none";
  readonly tls?: boolean;
}

/** `serve`: the secret service, until Ctrl-C or SIGTERM. */
export function serveCommand(host: Host): Command {
  const command = new Command("serve")
    .summary("Run the secret service")
    .description(
      "Run the secret service until Ctrl-C. Without options it keeps secrets sealed in ~/.flyte-secrets and listens " +
        "on 127.0.0.1:8093 with a token that it makes; the other commands and the SDK reach it by a socket in that " +
        "directory and need no token. With --webhook.enabled it runs the pod webhook too.",
    )
    .option("--host <host>", "address to listen on (secret.server.host)")
    .option("--port <port>", "port to listen on, 0 for a free one (secret.server.port)")
    .addOption(new Option("--auth <mode>", "who may call (secret.auth.mode)").choices(["token", "oidc", "none"]))
    .option(
      "--tls",
      "serve with TLS, by a certificate that it makes (secret.server.tls.selfMade), as Flyte's clients need it",
    );
  return addSettingOptions(command)
    .addHelpText(
      "after",
      examples(
        "serve",
        "serve --tls",
        "serve --port 9000 --auth none",
        "serve -c '/etc/flyte/config.d/*.yaml' --logger.level debug",
      ),
    )
    .action(async () => {
      const options = mergedOptions<ServeOptions>(command);
      const config = await readConfig(options, host, {
        "secret.server.host": options.host,
        "secret.server.port": options.port,
        "secret.auth.mode": options.auth,
        "secret.server.tls.selfMade": options.tls ? "true" : undefined,
      });
      await serve(config, host);
    });
}

async function serve(config: Config, host: Host): Promise<void> {
  const { createLogger, runWebhook, startServer } = await import("@flyte-secrets/server");
  const interrupted = host.interruption();
  const log = createLogger(config.logger);
  const { env, home } = host;
  await using opened = new AsyncDisposableStack();
  // Before the service, which announces that all is there.
  const webhook = config.webhook.enabled ? await runWebhook(config, { log, env, home }) : undefined;
  if (webhook) opened.defer(() => webhook.close({ graceMs: 0 }));
  const server = await startServer(config, { log, cluster: { env, home }, onWrite: webhook?.invalidate });
  opened.defer(() => server.close());
  host.stdout.write(greeting(server, config.secret, webhook));
  if (!interrupted.aborted) await once(interrupted, "abort");
  // First, as it goes on serving until the API server has learnt of it.
  await webhook?.close();
}

/** Where it listens and how to use it. The token itself stays in its file. */
function greeting(
  { endpoint, socketPath, flyteConfig }: RunningSystem,
  { store, kubernetes, auth }: Config["secret"],
  webhook: RunningWebhook | undefined,
): string {
  const lines = [`Listening on ${endpoint}`];
  if (webhook) lines.push(`Webhook on   port ${webhook.ports.admission}`);
  const { namespace } = kubernetes;
  lines.push(
    store.type === "Embedded" ? `Data in      ${store.path}` : `Secrets in   namespace ${namespace} of the cluster`,
  );
  if (socketPath) lines.push(`Socket       ${socketPath}`);
  lines.push("This user's flyte-secrets commands and SDK find it by themselves and need no token.");
  if (auth.mode === "token") {
    lines.push(`Token in     ${auth.tokenFile}`, "Other clients send it as `authorization: Bearer TOKEN`.");
  } else if (auth.mode === "oidc") {
    lines.push(`Other clients send a token that ${auth.oidc.issuer} has issued for ${auth.oidc.audience}.`);
  } else {
    lines.push("Everybody who reaches this address may use it (--auth none).");
  }
  if (flyteConfig) lines.push(`Flyte's CLI  flyte --config ${flyteConfig} create secret my-secret`);
  lines.push("Try:  flyte-secrets create secret my-secret", "Stop: Ctrl-C");
  return `${lines.join("\n")}\n`;
}
