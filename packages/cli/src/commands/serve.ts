import { once } from "node:events";
import { resolve } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { Command, Option } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions, rejectCombination } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";
import type { RunServiceOptions } from "../serve/run-service.ts";

interface ServeOptions extends SettingOptions {
  readonly host?: string;
  readonly port?: string;
  readonly auth?: "token" | "oidc" | "none";
  readonly tls?: boolean;
  readonly detach?: boolean;
  readonly logFile?: string;
  readonly detached?: boolean;
  readonly status?: boolean;
  readonly stop?: boolean;
}

/** `serve`: the secret service, until Ctrl-C or SIGTERM. */
export function serveCommand(cli: CliContext): Command {
  const command = new Command("serve")
    .summary("Run the secret service")
    .description(
      "Run the secret service until Ctrl-C. Without options it keeps secrets sealed in ~/.flyte-secrets and listens " +
        "on 127.0.0.1:8093 with a token that it makes; the other commands and the SDK reach it by a socket in that " +
        "directory and need no token. With --webhook.enabled it runs the pod webhook too. One server runs on a data " +
        "directory: --status and --stop find it by that.",
    )
    .option("-b, --detach", "run it in the background, and return when it answers")
    .option("--status", "instead: tell of the server that runs; exit code 3 when none does")
    .option("--stop", "instead: stop the server that runs, and wait for its end")
    .option(
      "--log-file <file>",
      "write the log there, at most 10 MiB of it (with --detach: server.log in the data directory)",
    )
    // What --detach gives the process that it starts.
    .addOption(new Option("--detached").hideHelp())
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
      formatExamples(
        "serve",
        "serve --detach",
        "serve --status",
        "serve --stop",
        "serve --tls",
        "serve --port 9000 --auth none",
        "serve -c '/etc/flyte/config.d/*.yaml' --logger.level debug",
      ),
    )
    .action(async () => {
      const options = mergeOptions<ServeOptions>(command);
      rejectCombination({ "--detach": options.detach, "--status": options.status, "--stop": options.stop });
      const config = await readConfig(options, cli, {
        "--host": { setting: "secret.server.host", value: options.host },
        "--port": { setting: "secret.server.port", value: options.port },
        "--auth": { setting: "secret.auth.mode", value: options.auth },
        "--tls": { setting: "secret.server.tls.selfMade", value: options.tls ? "true" : undefined },
      });
      const directory = config.secret.store.path;
      if (options.status) await (await import("../serve/control-server.ts")).printServerStatus(directory, cli);
      else if (options.stop) await (await import("../serve/control-server.ts")).stopServer(directory, cli);
      else if (options.detach) await detach(options, directory, cli);
      else await serve(config, options, cli);
    });
}

async function detach(options: ServeOptions, directory: string, cli: CliContext): Promise<void> {
  const { detachServer } = await import("../serve/detach-server.ts");
  await detachServer({ directory, args: argumentsOf(options), logFile: options.logFile, cli });
}

/** The options again, as they are written on a command line. */
function argumentsOf(options: ServeOptions): string[] {
  const { host, port, auth, tls, config = [], "section.path": settings = [] } = options;
  return [
    ...Object.entries({ host, port, auth }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    ),
    ...(tls ? ["--tls"] : []),
    ...config.flatMap((file) => ["--config", file]),
    ...settings.map((setting) => `--${setting}`),
  ];
}

async function serve(config: Config, { logFile, detached = false }: ServeOptions, cli: CliContext): Promise<void> {
  const interrupted = cli.interruption();
  await using opened = new AsyncDisposableStack();
  const file = logFile === undefined ? undefined : resolve(cli.cwd, logFile);
  const { reportStartFailure } = await import("../serve/detach-server.ts");
  const start = async () => opened.use(await startAll(config, file, cli));
  const { webhook } = await (detached ? reportStartFailure(start, cli) : start());
  if (!interrupted.aborted) await once(interrupted, "abort");
  // First, as it goes on serving until the API server has learnt of it.
  await webhook?.close();
}

/** Starts the server, and the webhook if it is enabled, and prints their addresses on standard output. */
async function startAll(config: Config, logFile: string | undefined, cli: CliContext) {
  const { createLogger } = await import("@flyte-secrets/http");
  const { runService } = await import("../serve/run-service.ts");
  const { assertNoServer, rotatingLog } = await import("@flyte-secrets/store");
  const { startBanner } = await import("../serve/start-banner.ts");
  const directory = config.secret.store.path;
  // Before the webhook has its port and announces itself in the cluster.
  assertNoServer(directory);
  await using opened = new AsyncDisposableStack();
  const destination = logFile === undefined ? undefined : opened.use(rotatingLog(logFile, { directory }));
  const log = createLogger(config.logger, destination);
  // Before the service, which announces that all is there.
  const webhook = config.webhook.enabled ? await startConfiguredWebhook(config, { log, cli }) : undefined;
  if (webhook) opened.defer(() => webhook.close({ graceMs: 0 }));
  const server = await runService(config, {
    log,
    cluster: { env: cli.env, home: cli.home },
    onWrite: webhook?.invalidate,
    logFile,
  });
  opened.defer(() => server.close());
  cli.stdout.write(startBanner(server, config.secret, webhook));
  const all = opened.move();
  return { webhook, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function startConfiguredWebhook(
  config: Config,
  { log, cli }: Pick<RunServiceOptions, "log"> & { readonly cli: CliContext },
) {
  const { startWebhook } = await import("@flyte-secrets/webhook");
  const { toWebhookOptions } = await import("../configured/webhook-options.ts");
  const { ownNamespace } = await import("../configured/own-namespace.ts");
  const { env, home } = cli;
  return await startWebhook(toWebhookOptions(config, ownNamespace(config, cli)), { log, env, home });
}
