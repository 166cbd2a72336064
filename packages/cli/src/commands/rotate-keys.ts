import { SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

const NEXT_KEY_VARIABLE = "FLYTE_SECRETS_NEXT_MASTER_KEY";

/** `keys rotate`. */
export function rotateKeysCommand(host: Host): Command {
  const command = new Command("rotate")
    .summary("Put a new master key in place of the present one")
    .description(
      "Put a new master key in place of the present one, also while the server runs. Backups keep the key they were " +
        `made under. A key from FLYTE_SECRETS_MASTER_KEY is replaced by the one in ${NEXT_KEY_VARIABLE}.`,
    );
  return addSettingOptions(command)
    .addHelpText("after", examples("keys rotate"))
    .action(async () => {
      const config = await readConfig(mergedOptions<SettingOptions>(command), host);
      const { rotateMasterKey } = await import("@flyte-secrets/server/local");
      const { storeDirectory } = await import("../store/with-store.ts");
      const directory = storeDirectory(config);
      const current = config.secret.store.masterKey?.revealBytes();
      const keys = current && { current, next: nextKey(host) };
      await rotateMasterKey({ directory, ...(keys && { keys }) });
      host.stdout.write(
        keys
          ? `The store in ${directory} has the key of ${NEXT_KEY_VARIABLE}: put it into FLYTE_SECRETS_MASTER_KEY.\n`
          : `The store in ${directory} has a new master key: keep a copy of ${directory}/master.key elsewhere.\n`,
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
