import { Command } from "commander";
import type { Host } from "../host.ts";
import { addOutputOption, type OutputOptions } from "../options/common-options.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSecretOptions, checkSecretOptions, type SecretCommandOptions } from "../options/secret-command-options.ts";

type GetOptions = SecretCommandOptions & OutputOptions;

/** `get secret [NAME]`. */
export function getSecretCommand(host: Host): Command {
  const command = new Command("secret")
    .summary("List secrets, or show one")
    .description("List the secrets of a scope (all, when none is given), or show one by its name. Never shows a value.")
    .argument("[name]", "the secret's name (default: list all)");
  addOutputOption(addSecretOptions(command));
  return command
    .addHelpText(
      "after",
      examples(
        "get secret",
        "get secret --domain production -o table-simple",
        "get secret api-key",
        "get secret -o json-raw",
      ),
    )
    .action(async (name: string | undefined) => {
      const options = mergedOptions<GetOptions>(command);
      checkSecretOptions(options, name);
      host.stdout.write(name === undefined ? await list(options, host) : await show(name, options, host));
    });
}

async function list(options: GetOptions, host: Host): Promise<string> {
  const { Secret } = await import("@flyte-secrets/sdk/remote");
  const { openClient } = await import("../remote/open-client.ts");
  const { findReadTarget } = await import("../remote/target.ts");
  const { renderSecrets } = await import("../render/render-secrets.ts");
  await using client = await openClient(await findReadTarget(options, host), { ...options, host });
  const secrets = [];
  for await (const secret of Secret.listall({ client, clusterPool: options.clusterPool })) secrets.push(secret);
  return renderSecrets(secrets, options.outputFormat ?? "table");
}

async function show(name: string, options: GetOptions, host: Host): Promise<string> {
  const { Secret } = await import("@flyte-secrets/sdk/remote");
  const { openClient } = await import("../remote/open-client.ts");
  const { findReadTarget } = await import("../remote/target.ts");
  const { renderSecret } = await import("../render/render-secrets.ts");
  await using client = await openClient(await findReadTarget(options, host), { ...options, host });
  const secret = await Secret.get(name, { client, clusterPool: options.clusterPool });
  return renderSecret(secret, options.outputFormat ?? "json");
}
