import { Command } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { addWriteOptions, writeSecret } from "./write-secret.ts";

/** `create secret NAME`. */
export function createSecretCommand(host: Host): Command {
  const command = new Command("secret")
    .summary("Create a secret")
    .description(
      "Create a secret at one scope: a project in a domain, a domain, or global when neither is given. Tasks get " +
        "the narrowest one of a name. The value is asked for without echo (one line; --from-file takes any bytes).",
    )
    .argument("<name>", "letters, digits, - and _");
  return addWriteOptions(command)
    .addHelpText(
      "after",
      examples(
        "create secret api-key",
        "create secret api-key --project shop --domain production",
        "create secret tls-key --from-file key.pem",
        "create secret db-password --from-file - < password.txt",
        "create secret ghcr --type image_pull --registry ghcr.io --username octocat",
        "create secret ghcr --type image_pull --from-docker-config --registries ghcr.io",
      ),
    )
    .action((name: string) => writeSecret("create", name, command, host));
}
