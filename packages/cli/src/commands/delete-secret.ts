import { Command } from "commander";
import type { Host } from "../context.ts";
import { mergedOptions } from "../options/check-options.ts";
import { examples } from "../options/command-tree.ts";
import {
  addForceOption,
  addSecretOptions,
  type ChangeOptions,
  checkSecretOptions,
  describeScope,
  type SecretCommandOptions,
} from "../options/secret-options.ts";

/** `delete secret NAME`. */
export function deleteSecretCommand(host: Host): Command {
  const command = new Command("secret")
    .summary("Delete a secret")
    .description("Delete a secret. On a terminal it asks first.")
    .argument("<name>", "the secret's name")
    .option("-y, --yes", "do not ask");
  return addSecretOptions(addForceOption(command))
    .addHelpText("after", examples("delete secret api-key", "delete secret api-key -p shop -d production --yes"))
    .action(async (name: string) => {
      const options = mergedOptions<SecretCommandOptions & ChangeOptions & { readonly yes?: boolean }>(command);
      checkSecretOptions(options, name);
      const { Secret } = await import("@flyte-secrets/sdk/remote");
      const { isSecretThere, orExpected } = await import("../secrets/expect-secret.ts");
      const { openClient } = await import("../remote/open-client.ts");
      const { describeElsewhere, findWriteTarget } = await import("../remote/target.ts");
      const target = await findWriteTarget(options, host);
      await using client = await openClient(target, { ...options, host });
      const secret = { name, options, client };
      const what = `secret ${name} (${describeScope(options)})${describeElsewhere(target, host)}`;
      if (!options.yes && (await isSecretThere(secret)) !== false) {
        const { confirmRemoval } = await import("../values/prompt.ts");
        // A script has nobody to ask, and Flyte's own command does not ask either.
        await confirmRemoval(`Delete ${what}?`, { host, otherwise: "nothing was deleted" });
      }
      // Also where nothing is to be found: caches forget it then.
      await orExpected({ ...secret, isThere: true }, () =>
        Secret.delete(name, { client, clusterPool: options.clusterPool, force: options.force }),
      );
      host.stdout.write(`Deleted ${what}.\n`);
    });
}
