import { resolve } from "node:path";
import { Command } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

interface RestoreOptions extends SettingOptions {
  readonly replace?: boolean;
  readonly unauthenticated?: boolean;
}

/** `restore FILE`. */
export function restoreCommand(host: Host): Command {
  const command = new Command("restore")
    .summary("Make a backup the store")
    .description(
      "Make a file of `backup` this machine's store. The master key that the backup was made under must be in place " +
        "(master.key in the data directory or a former one that is kept there, or FLYTE_SECRETS_MASTER_KEY), and no server " +
        "may run. A file that was changed since it was made is refused.",
    )
    .argument("<file>", "file that backup made")
    .option("--replace", "drop the store that is there")
    .option("--unauthenticated", "take a file that nothing proves to be as it was made, as earlier versions made them");
  return addSettingOptions(command)
    .addHelpText("after", examples("restore secrets-2026-08-01.db", "restore secrets-2026-08-01.db --replace"))
    .action(async (file: string) => {
      const options = mergedOptions<RestoreOptions>(command);
      const config = await readConfig(options, host);
      const { describeRestore, restoreStore } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/with-store.ts");
      const directory = storeDirectory(config);
      const { masterKey } = config.secret.store;
      const report = await restoreStore({
        file: resolve(host.cwd, file),
        directory,
        replace: options.replace ?? false,
        unauthenticated: options.unauthenticated ?? false,
        ...(masterKey && { masterKey: masterKey.revealBytes() }),
      });
      host.stdout.write(`Restored ${file} to ${directory}. ${describeRestore(report)}\n`);
    });
}
