import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { mergeOptions } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import {
  addForceOption,
  addSecretOptions,
  type ChangeOptions,
  checkSecretOptions,
  describeScope,
  type SecretCommandOptions,
} from "../options/secret-options.ts";

/** `delete secret NAME`. */
export function deleteSecretCommand(cli: CliContext): Command {
  const command = new Command("secret")
    .summary("Delete a secret")
    .description("Delete a secret. On a terminal it asks first.")
    .argument("<name>", "the secret's name")
    .option("-y, --yes", "do not ask");
  return addSecretOptions(addForceOption(command))
    .addHelpText("after", formatExamples("delete secret api-key", "delete secret api-key -p shop -d production --yes"))
    .action(async (name: string) => {
      const options = mergeOptions<SecretCommandOptions & ChangeOptions & { readonly yes?: boolean }>(command);
      checkSecretOptions(options, name);
      const { Secret } = await import("@flyte-secrets/sdk/remote");
      const { secretExists, withExpectation } = await import("../secrets/expect-secret.ts");
      const { openClient } = await import("../remote/open-client.ts");
      const { describeElsewhere, findWriteTarget } = await import("../remote/target.ts");
      const target = await findWriteTarget(options, cli);
      await using client = await openClient(target, { ...options, cli });
      const secret = { name, options, client };
      const what = `secret ${name} (${describeScope(options)})${describeElsewhere(target, cli)}`;
      if (!options.yes && (await secretExists(secret)) !== false) {
        const { confirmRemoval } = await import("../values/prompt.ts");
        // Without a terminal it deletes at once, as Flyte's own command does.
        await confirmRemoval(`Delete ${what}?`, { cli, otherwise: "nothing was deleted" });
      }
      // Also where nothing is to be found: caches forget it then.
      await withExpectation({ ...secret, exists: true }, () =>
        Secret.delete(name, { client, clusterPool: options.clusterPool, force: options.force }),
      );
      cli.stdout.write(`Deleted ${what}.\n`);
    });
}
