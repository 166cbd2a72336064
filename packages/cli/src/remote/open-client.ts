import { createSecretsClient, resolveConnection, type SecretsClient } from "@flyte-secrets/sdk/remote";
import type { Host } from "../host.ts";
import type { SecretCommandOptions } from "../options/secret-command-options.ts";
import { sdkEnvironment } from "./sdk-environment.ts";

/** Where a write went, for messages: empty for the server that this user runs. */
export function describeService({ connection }: SecretsClient): string {
  return connection.own === undefined ? ` at ${connection.endpoint}` : "";
}

/**
 * A client of the service that the options name, else of the one that environment and configuration files name, else of the
 * server that this user runs. The scope is that of the options alone: none given is global, as in Flyte's CLI.
 */
export async function openClient(options: SecretCommandOptions, host: Host): Promise<SecretsClient> {
  const { endpoint, insecure, org, config, project = "", domain = "" } = options;
  const connection = await resolveConnection(
    { endpoint, insecure, org, config: config?.[0], project, domain },
    sdkEnvironment(host),
  );
  return createSecretsClient(connection);
}
