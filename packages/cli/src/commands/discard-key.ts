import type { KnownKeysOptions } from "@flyte-secrets/store";
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
      "Remove a former master key that `keys list` names. Backups that were made under it can't be restored here any more. " +
        "On a terminal it asks first; elsewhere a key that backups need stays, unless `--yes` says to lose them.",
    )
    .argument("<key>", "its id")
    .option("-y, --yes", "do not ask, and lose the backups that need it");
  return addSettingOptions(command)
    .addHelpText("after", examples("keys discard 5d0c2f4ab1c3d9e7", "keys discard 5d0c2f4ab1c3d9e7 --yes"))
    .action(async (id: string) => {
      const options = mergedOptions<SettingOptions & { readonly yes?: boolean }>(command);
      const config = await readConfig(options, host);
      const { discardKey } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/with-store.ts");
      const { masterKey } = config.secret.store;
      const store = { directory: storeDirectory(config), ...(masterKey && { masterKey: masterKey.revealBytes() }) };
      const lose = options.yes || (await confirm(id, { host, store }));
      await discardKey({ ...store, id, lose });
      host.stdout.write(`Removed master key ${id}.\n`);
    });
}

/** Whether somebody said yes. False where there is nobody to ask, and for a key that isn't there. */
async function confirm(id: string, { host, store }: { readonly host: Host; readonly store: KnownKeysOptions }) {
  const { describeBackups, listKeys } = await import("@flyte-secrets/store");
  const key = (await listKeys(store)).find((each) => each.id === id && each.state === "kept");
  if (!key) return false;
  const needed = key.backups.length === 0 ? "no backup that the store knows" : describeBackups(key.backups);
  const { confirmRemoval } = await import("../values/confirm.ts");
  const question = `Remove master key ${id}? It is needed by ${needed}.`;
  return await confirmRemoval(question, { host, otherwise: "nothing was removed" });
}
