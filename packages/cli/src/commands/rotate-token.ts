import { SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

/** `token rotate`. */
export function rotateTokenCommand(cli: CliContext): Command {
  const command = new Command("rotate")
    .summary("Put a new token in place of the present one")
    .description(
      "Put a new token into secret.auth.tokenFile. A server that runs takes it with the next call and refuses the " +
        "one before; whoever has a copy of that needs the new one. Commands of this user go on: they need no token.",
    );
  return addSettingOptions(command)
    .addHelpText("after", formatExamples("token rotate"))
    .action(async () => {
      const { auth } = (await readConfig(mergeOptions<SettingOptions>(command), cli)).secret;
      if (auth.mode !== "token") {
        throw new SecretsError("invalid_config", `there is no token with secret.auth.mode ${auth.mode}`);
      }
      const { rotateTokenFile } = await import("@flyte-secrets/store");
      rotateTokenFile(auth.tokenFile);
      cli.stdout.write(`A new token is in ${auth.tokenFile}; the one before is refused from now on.\n`);
    });
}
