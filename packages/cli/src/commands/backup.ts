import { resolve } from "node:path";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

/** `backup FILE`. */
export function backupCommand(cli: CliContext): Command {
  const command = new Command("backup")
    .summary("Copy the store into one file")
    .description(
      "Copy this machine's store into one new file (0600), also while the server runs. The values in it are sealed, " +
        "and the master key is not in it: keep a copy of master.key elsewhere, nobody can restore without it. A " +
        "file that somebody changes afterwards is not restored.",
    )
    .argument("<file>", "file to make");
  return addSettingOptions(command)
    .addHelpText("after", formatExamples("backup secrets-2026-08-01.db"))
    .action(async (file: string) => {
      const config = await readConfig(mergeOptions<SettingOptions>(command), cli);
      const { backupStore } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/own-store.ts");
      const directory = storeDirectory(config);
      const { masterKey } = config.secret.store;
      await backupStore({
        directory,
        file: resolve(cli.cwd, file),
        ...(masterKey && { masterKey: masterKey.revealBytes() }),
      });
      const key = masterKey ? "the key in FLYTE_SECRETS_MASTER_KEY" : `${directory}/master.key`;
      cli.stdout.write(`Backed up to ${file}. Restoring it needs ${key}: keep a copy of that elsewhere.\n`);
    });
}

interface RestoreOptions extends SettingOptions {
  readonly replace?: boolean;
  readonly unauthenticated?: boolean;
}

/** `restore FILE`. */
export function restoreCommand(cli: CliContext): Command {
  const command = new Command("restore")
    .summary("Make a backup the store")
    .description(
      "Make a file of `backup` this machine's store. The master key that the backup was made under must be in place " +
        "(master.key in the data directory or a former one that is kept there, or FLYTE_SECRETS_MASTER_KEY), and no " +
        "server may run. A file that was changed since it was made is refused.",
    )
    .argument("<file>", "file that backup made")
    .option("--replace", "drop the store that is there")
    .option("--unauthenticated", "take a file that nothing proves to be as it was made, as earlier versions made them");
  return addSettingOptions(command)
    .addHelpText("after", formatExamples("restore secrets-2026-08-01.db", "restore secrets-2026-08-01.db --replace"))
    .action(async (file: string) => {
      const options = mergeOptions<RestoreOptions>(command);
      const config = await readConfig(options, cli);
      const { describeRestore, restoreStore } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/own-store.ts");
      const directory = storeDirectory(config);
      const { masterKey } = config.secret.store;
      const report = await restoreStore({
        file: resolve(cli.cwd, file),
        directory,
        replace: options.replace ?? false,
        unauthenticated: options.unauthenticated ?? false,
        ...(masterKey && { masterKey: masterKey.revealBytes() }),
      });
      cli.stdout.write(`Restored ${file} to ${directory}. ${describeRestore(report)}\n`);
    });
}
