import { createSecretsClient, resolveConnection, type SecretsClient } from "@flyte-secrets/sdk/remote";
import type { Host } from "../host.ts";
import type { SecretCommandOptions } from "../options/secret-command-options.ts";
import { readInput } from "../values/read-input.ts";

/**
 * A client of the service that the options name, else of the one that environment and configuration files name, else of the
 * server that this user runs. The scope is that of the options alone: none given is global, as in Flyte's CLI.
 */
export async function openClient(options: SecretCommandOptions, host: Host): Promise<SecretsClient> {
  const { endpoint, insecure, org, config, tokenFile, project = "", domain = "" } = options;
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile, host);
  const connection = await resolveConnection(
    { endpoint, insecure, org, config: config?.[0], token, project, domain },
    { variables: host.env, home: host.home, cwd: host.cwd },
  );
  return createSecretsClient(connection);
}

/** A token in the arguments would show in the process list, so it comes in a file. */
async function readToken(file: string, host: Host): Promise<string> {
  return Buffer.from(await readInput(file, "--token-file", host))
    .toString("utf8")
    .trim();
}
