import { SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

const NEXT_KEY_VARIABLE = "FLYTE_SECRETS_NEXT_MASTER_KEY";

interface RotateOptions extends SettingOptions {
  readonly data?: boolean;
}

/** `keys rotate`. */
export function rotateKeysCommand(host: Host): Command {
  const command = new Command("rotate")
    .summary("Put a new master key, or a new data key, in place of the present one")
    .description(
      "Put a new master key in place of the present one, also while the server runs. Backups keep the key they were " +
        "made under, and it stays beside the new one for them until `keys discard`. A key from FLYTE_SECRETS_MASTER_KEY is " +
        `replaced by the one in ${NEXT_KEY_VARIABLE}; keep the former one yourself for backups that were made under it.`,
    )
    .option("--data", "instead, seal every value anew under a new data key; the master key stays");
  return addSettingOptions(command)
    .addHelpText("after", examples("keys rotate", "keys rotate --data"))
    .action(async () => {
      const options = mergedOptions<RotateOptions>(command);
      const config = await readConfig(options, host);
      const { describeBackups, rotateDataKey, rotateMasterKey } = await import("@flyte-secrets/store");
      const { storeDirectory } = await import("../store/with-store.ts");
      const directory = storeDirectory(config);
      const current = config.secret.store.masterKey?.revealBytes();
      if (options.data) {
        await rotateDataKey({ directory, ...(current && { masterKey: current }) });
        host.stdout.write(`The values in ${directory} are sealed under a new data key. Make a new backup.\n`);
        return;
      }
      const keys = current && { current, next: nextKey(host) };
      const former = await rotateMasterKey({ directory, ...(keys && { keys }) });
      const needed = former.backups.length === 0 ? "backups that were made under it" : describeBackups(former.backups);
      host.stdout.write(
        keys
          ? `The store in ${directory} has the key of ${NEXT_KEY_VARIABLE}: put it into FLYTE_SECRETS_MASTER_KEY. Keep the ` +
              `former one (${former.id}): it is not kept here, and only it opens ${needed}.\n`
          : `The store in ${directory} has a new master key: keep a copy of ${directory}/master.key elsewhere. The former one is ` +
              "kept for backups; flyte-secrets keys list names them.\n",
      );
    });
}

function nextKey(host: Host): Uint8Array {
  const text = host.env[NEXT_KEY_VARIABLE] ?? "";
  if (text !== "") return Buffer.from(text, "base64");
  throw new SecretsError(
    "usage",
    `set ${NEXT_KEY_VARIABLE} to the new key, 32 bytes in base64: openssl rand -base64 32 makes one`,
  );
}
