import type { Config } from "@flyte-secrets/config";
import type { SecretLookup, SecretScope } from "@flyte-secrets/core";
import { createManagers, globalSecrets } from "@flyte-secrets/webhook";
import { ownNamespace } from "../configured/own-namespace.ts";
import { toAdmissionOptions } from "../configured/webhook-options.ts";
import type { CliContext } from "../context.ts";
import { missingSecretHelp } from "../secrets/missing-secret.ts";
import { type InjectionSettings, noteOtherManagers, withLocalManagersOnly } from "./inject-task.ts";

export interface InjectionParts {
  readonly scope: SecretScope;
  readonly lookup: SecretLookup;
  /** With a key that was found nowhere, say all that was tried. */
  readonly verbose: boolean;
  readonly cli: CliContext;
}

/** What the webhook of this configuration does, on this machine. Prints a note on managers that need a cluster. */
export function toInjectionSettings(
  config: Config,
  { scope, lookup, verbose, cli }: InjectionParts,
): InjectionSettings {
  const { delivery, escapeInlineVariables: escapeVariables } = config.webhook.embeddedSecretManagerConfig;
  const deciding = toAdmissionOptions(withLocalManagersOnly(config), ownNamespace(config, cli));
  noteOtherManagers(config, cli);
  return {
    scope,
    lookup,
    global: globalSecrets(deciding.global, cli.env),
    createManagersOver: (parts) => createManagers(deciding, parts),
    missingHelp: async (keys, tried) => [
      ...(await missingSecretHelp(keys, { config, scope, cli })),
      verbose ? `  Tried: ${tried}` : "  --verbose shows where it was looked for.",
    ],
    delivery,
    escapeVariables,
    secretEnvVarPrefix: config.webhook.secretEnvVarPrefix,
    limits: config.webhook.limits,
    envVarNaming: config.webhook.secretEnvVarNaming,
  };
}
