import { resolve } from "node:path";
import { Command } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

/** `backup FILE`. */
export function backupCommand(host: Host): Command {
  const command = new Command("backup")
    .summary("Copy the store into one file")
    .description(
      "Copy this machine's store into one new file (0600), also while the server runs. The values in it are sealed, and " +
        "the master key is not in it: keep a copy of master.key elsewhere, nobody can restore without it. A file that " +
        "somebody changes afterwards is not restored.",
    )
    .argument("<file>", "file to make");
  return addSettingOptions(command)
    .addHelpText("after", examples("backup secrets-2026-08-01.db"))
    .action(async (file: string) => {
      const config = await readConfig(mergedOptions<SettingOptions>(command), host);
      const { backupStore } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/with-store.ts");
      const directory = storeDirectory(config);
      const { masterKey } = config.secret.store;
      await backupStore({
        directory,
        file: resolve(host.cwd, file),
        ...(masterKey && { masterKey: masterKey.revealBytes() }),
      });
      const key = masterKey ? "the key in FLYTE_SECRETS_MASTER_KEY" : `${directory}/master.key`;
      host.stdout.write(`Backed up to ${file}. Restoring it needs ${key}: keep a copy of that elsewhere.\n`);
    });
}
