import { SecretsError } from "@flyte-secrets/core";
import type { KnownKey, KnownKeysOptions } from "@flyte-secrets/store";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";
import { tableWidth } from "../output.ts";
import { renderTable } from "../render/table.ts";

const NEXT_KEY_VARIABLE = "FLYTE_SECRETS_NEXT_MASTER_KEY";

interface RotateOptions extends SettingOptions {
  readonly data?: boolean;
}

/** `keys rotate`. */
export function rotateKeysCommand(cli: CliContext): Command {
  const command = new Command("rotate")
    .summary("Put a new master key, or a new data key, in place of the present one")
    .description(
      "Put a new master key in place of the present one, also while the server runs. Backups keep the key they were " +
        "made under, and it stays beside the new one for them until `keys discard`. A key from " +
        "FLYTE_SECRETS_MASTER_KEY is " +
        `replaced by the one in ${NEXT_KEY_VARIABLE}; keep the former one yourself for backups that were made under ` +
        "it.",
    )
    .option("--data", "instead, seal every value anew under a new data key; the master key stays");
  return addSettingOptions(command)
    .addHelpText("after", formatExamples("keys rotate", "keys rotate --data"))
    .action(async () => {
      const options = mergeOptions<RotateOptions>(command);
      const config = await readConfig(options, cli);
      const { describeBackups, rotateDataKey, rotateMasterKey } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/own-store.ts");
      const directory = storeDirectory(config);
      const current = config.secret.store.masterKey?.revealBytes();
      if (options.data) {
        await rotateDataKey({ directory, ...(current && { masterKey: current }) });
        cli.stdout.write(`The values in ${directory} are sealed under a new data key. Make a new backup.\n`);
        return;
      }
      const keys = current && { current, next: nextKey(cli) };
      const former = await rotateMasterKey({ directory, ...(keys && { keys }) });
      const needed = former.backups.length === 0 ? "backups that were made under it" : describeBackups(former.backups);
      cli.stdout.write(
        keys
          ? `The store in ${directory} has the key of ${NEXT_KEY_VARIABLE}: put it into FLYTE_SECRETS_MASTER_KEY. ` +
              `Keep the former one (${former.id}): it is not kept here, and only it opens ${needed}.\n`
          : `The store in ${directory} has a new master key: keep a copy of ${directory}/master.key elsewhere. The ` +
              "former one is kept for backups; flyte-secrets keys list names them.\n",
      );
    });
}

function nextKey(cli: CliContext): Uint8Array {
  const text = cli.env[NEXT_KEY_VARIABLE] ?? "";
  if (text !== "") return Buffer.from(text, "base64");
  throw new SecretsError(
    "usage",
    `set ${NEXT_KEY_VARIABLE} to the new key, 32 bytes in base64: openssl rand -base64 32 makes one`,
  );
}

/** `keys list`. */
export function listKeysCommand(cli: CliContext): Command {
  const command = new Command("list")
    .summary("List the store's master keys, and the backups that need each")
    .description(
      "List the store's present master key, the former ones that are kept, and the backups that were made under " +
        "each; the keys themselves are not shown.",
    );
  return addSettingOptions(command)
    .addHelpText("after", formatExamples("keys list"))
    .action(async () => {
      const config = await readConfig(mergeOptions<SettingOptions>(command), cli);
      const { listKeys } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/own-store.ts");
      const { masterKey } = config.secret.store;
      const keys = await listKeys({
        directory: storeDirectory(config),
        ...(masterKey && { masterKey: masterKey.revealBytes() }),
      });
      const head = ["KEY", "STATE", "BACKUP", "MADE"];
      cli.stdout.write(renderTable(head, keys.flatMap(toRows), "table-simple", tableWidth(cli.stdout)));
    });
}

function toRows({ id, state, backups }: KnownKey): string[][] {
  if (backups.length === 0) return [[id, state, "-", "-"]];
  return backups.map(({ file, madeAt }) => [id, state, file, madeAt.toISOString()]);
}

/** `keys discard KEY`. */
export function discardKeyCommand(cli: CliContext): Command {
  const command = new Command("discard")
    .summary("Remove a former master key")
    .description(
      "Remove a former master key that `keys list` names. Backups that were made under it can't be restored here " +
        "any more. On a terminal it asks first; elsewhere a key that backups need stays, unless `--yes` says to " +
        "lose them.",
    )
    .argument("<key>", "its id")
    .option("-y, --yes", "do not ask, and lose the backups that need it");
  return addSettingOptions(command)
    .addHelpText("after", formatExamples("keys discard 5d0c2f4ab1c3d9e7", "keys discard 5d0c2f4ab1c3d9e7 --yes"))
    .action(async (id: string) => {
      const options = mergeOptions<SettingOptions & { readonly yes?: boolean }>(command);
      const config = await readConfig(options, cli);
      const { discardKey } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/own-store.ts");
      const { masterKey } = config.secret.store;
      const store = { directory: storeDirectory(config), ...(masterKey && { masterKey: masterKey.revealBytes() }) };
      const lose = options.yes || (await confirm(id, { cli, store }));
      await discardKey({ ...store, id, lose });
      cli.stdout.write(`Removed master key ${id}.\n`);
    });
}

/** Whether the user has confirmed it. False without a terminal, and for a key that doesn't exist. */
async function confirm(id: string, { cli, store }: { readonly cli: CliContext; readonly store: KnownKeysOptions }) {
  const { describeBackups, listKeys } = await import("@flyte-secrets/store");
  const key = (await listKeys(store)).find((each) => each.id === id && each.state === "kept");
  if (!key) return false;
  const needed = key.backups.length === 0 ? "no backup that the store knows" : describeBackups(key.backups);
  const { confirmRemoval } = await import("../values/prompt.ts");
  const question = `Remove master key ${id}? It is needed by ${needed}.`;
  return await confirmRemoval(question, { cli, otherwise: "nothing was removed" });
}
