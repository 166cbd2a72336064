import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addScopeOptions, checkSecretOptions, describeScope, type ScopeOptions } from "../options/secret-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

/** `system mark NAME` and `system unmark NAME`. */
export function markSystemCommand(how: "mark" | "unmark", cli: CliContext): Command {
  const command = new Command(how)
    .summary(how === "mark" ? "Hide a secret from the API" : "Show a hidden secret again")
    .description(
      how === "mark"
        ? "Make a secret of this machine's store a system secret: tasks get it as before, the API hides it and " +
            "refuses to change it."
        : "Make a system secret of this machine's store an ordinary one again.",
    )
    .argument("<name>", "the secret's name");
  addScopeOptions(command);
  return addSettingOptions(command)
    .addHelpText("after", formatExamples(`system ${how} registry-password --domain production`))
    .action(async (name: string) => {
      const options = mergeOptions<ScopeOptions & SettingOptions>(command);
      const { domain = "", project = "" } = options;
      checkSecretOptions({ domain, project }, name);
      const config = await readConfig(options, cli);
      const { withOwnStore } = await import("../store/own-store.ts");
      const id = { org: config.secret.organization, domain, project, name };
      try {
        await withOwnStore(config, (store) => store.setSystem(id, how === "mark"));
      } catch (error) {
        if (!isSecretsError(error, "not_found")) throw error;
        throw new SecretsError("not_found", `secret ${name} not found (${describeScope(options)})`);
      }
      cli.stdout.write(`Secret ${name} (${describeScope(options)}) is ${how === "mark" ? "hidden" : "shown"}.\n`);
    });
}
