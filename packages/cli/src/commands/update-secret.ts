import { Command } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { addForceOption } from "../options/secret-command-options.ts";
import { addWriteOptions, writeSecret } from "./write-secret.ts";

/** `update secret NAME`. */
export function updateSecretCommand(host: Host): Command {
  const command = new Command("secret")
    .summary("Give a secret a new value")
    .description("Replace the value of a secret that is there. Tasks that start afterwards get the new value.")
    .argument("<name>", "the secret's name");
  return addWriteOptions(addForceOption(command))
    .addHelpText(
      "after",
      examples(
        "update secret api-key",
        "update secret api-key --project shop --domain production --from-file new-key.txt",
        "update secret ghcr --type image_pull --from-docker-config --registries ghcr.io",
      ),
    )
    .action((name: string) => writeSecret("update", name, command, host));
}
