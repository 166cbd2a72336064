import type { KnownKey } from "@flyte-secrets/store";
import { Command } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";
import { tableWidth } from "../output.ts";
import { renderTable } from "../render/render-table.ts";

/** `keys list`. */
export function listKeysCommand(host: Host): Command {
  const command = new Command("list")
    .summary("List the store's master keys, and the backups that need each")
    .description(
      "List the store's present master key, the former ones that are kept, and the backups that were made under each; the keys " +
        "themselves are not shown.",
    );
  return addSettingOptions(command)
    .addHelpText("after", examples("keys list"))
    .action(async () => {
      const config = await readConfig(mergedOptions<SettingOptions>(command), host);
      const { listKeys } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/with-store.ts");
      const { masterKey } = config.secret.store;
      const keys = await listKeys({
        directory: storeDirectory(config),
        ...(masterKey && { masterKey: masterKey.revealBytes() }),
      });
      const head = ["KEY", "STATE", "BACKUP", "MADE"];
      host.stdout.write(renderTable(head, keys.flatMap(toRows), "table-simple", tableWidth(host.stdout)));
    });
}

function toRows({ id, state, backups }: KnownKey): string[][] {
  if (backups.length === 0) return [[id, state, "-", "-"]];
  return backups.map(({ file, madeAt }) => [id, state, file, madeAt.toISOString()]);
}
