import { SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import type { Host } from "../context.ts";
import { mergedOptions } from "../options/check-options.ts";
import { examples } from "../options/command-tree.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

/** `token rotate`. */
export function rotateTokenCommand(host: Host): Command {
  const command = new Command("rotate")
    .summary("Put a new token in place of the present one")
    .description(
      "Put a new token into secret.auth.tokenFile. A server that runs takes it with the next call and refuses the one before; whoever " +
        "has a copy of that needs the new one. Commands of this user go on: they need no token.",
    );
  return addSettingOptions(command)
    .addHelpText("after", examples("token rotate"))
    .action(async () => {
      const { auth } = (await readConfig(mergedOptions<SettingOptions>(command), host)).secret;
      if (auth.mode !== "token") {
        throw new SecretsError("invalid_config", `there is no token with secret.auth.mode ${auth.mode}`);
      }
      const { rotateTokenFile } = await import("@flyte-secrets/store");
      rotateTokenFile(auth.tokenFile);
      host.stdout.write(`A new token is in ${auth.tokenFile}; the one before is refused from now on.\n`);
    });
}
