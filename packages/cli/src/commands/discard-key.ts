import { Command } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

/** `keys discard KEY`. */
export function discardKeyCommand(host: Host): Command {
  const command = new Command("discard")
    .summary("Remove a former master key")
    .description(
      "Remove a former master key that `keys list` names. Backups that were made under it can't be restored here any more.",
    )
    .argument("<key>", "its id");
  return addSettingOptions(command)
    .addHelpText("after", examples("keys discard 5d0c2f4ab1c3d9e7"))
    .action(async (id: string) => {
      const config = await readConfig(mergedOptions<SettingOptions>(command), host);
      const { discardKey } = await import("@flyte-secrets/server/local");
      const { storeDirectory } = await import("../store/with-store.ts");
      discardKey({ directory: storeDirectory(config), id });
      host.stdout.write(`Removed master key ${id}.\n`);
    });
}
