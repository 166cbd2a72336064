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
import { addValueOptions, checkValueOptions, type ValueOptions } from "../values/value-options.ts";

/** `create secret NAME`. */
export function createSecretCommand(cli: CliContext): Command {
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
      formatExamples(
        "create secret api-key",
        "create secret api-key --project shop --domain production",
        "create secret tls-key --from-file key.pem",
        "create secret db-password --from-file - < password.txt",
        "create secret ghcr --type image_pull --registry ghcr.io --username octocat",
        "create secret ghcr --type image_pull --from-docker-config --registries ghcr.io",
      ),
    )
    .action((name: string) => writeSecret("create", name, command, cli));
}

/** `update secret NAME`. */
export function updateSecretCommand(cli: CliContext): Command {
  const command = new Command("secret")
    .summary("Give a secret a new value")
    .description("Replace the value of a secret that is there. Tasks that start afterwards get the new value.")
    .argument("<name>", "the secret's name");
  return addWriteOptions(addForceOption(command))
    .addHelpText(
      "after",
      formatExamples(
        "update secret api-key",
        "update secret api-key --project shop --domain production --from-file new-key.txt",
        "update secret ghcr --type image_pull --from-docker-config --registries ghcr.io",
      ),
    )
    .action((name: string) => writeSecret("update", name, command, cli));
}

/** Adds the options that `create` and `update` share. */
export function addWriteOptions(command: Command): Command {
  return addSecretOptions(addValueOptions(command));
}

/**
 * Creates or updates the secret of `command`. Everything that can be refused without the value is refused before the
 * user is asked for it: options, names, an unreachable service, a secret that already exists or does not exist.
 */
export async function writeSecret(
  how: "create" | "update",
  name: string,
  command: Command,
  cli: CliContext,
): Promise<void> {
  const options = mergeOptions<SecretCommandOptions & ChangeOptions & ValueOptions>(command);
  checkSecretOptions(options, name, how === "create");
  checkValueOptions(options, options);
  const { Secret } = await import("@flyte-secrets/sdk/remote");
  const { openClient } = await import("../remote/open-client.ts");
  const { describeElsewhere, findWriteTarget } = await import("../remote/target.ts");
  const { noteNewScope } = await import("../secrets/new-scope.ts");
  const { assertExpectation, withExpectation } = await import("../secrets/expect-secret.ts");
  const { assertCanPrompt, readSecretValue } = await import("../values/read-secret-value.ts");
  assertCanPrompt(options, cli);
  const target = await findWriteTarget(options, cli);
  await using client = await openClient(target, { ...options, cli, mayCreateStore: how === "create" });
  const expected = { name, options, client, exists: how === "update" };
  await assertExpectation(expected);
  if (how === "create") await noteNewScope(client, options, cli);
  const value = await readSecretValue(options, cli);
  // Somebody else may have been faster.
  await withExpectation(expected, () =>
    Secret[how]({ client, name, value, type: options.type, clusterPool: options.clusterPool, force: options.force }),
  );
  const done = how === "create" ? "Created" : "Updated";
  cli.stdout.write(`${done} secret ${name} (${describeScope(options)})${describeElsewhere(target, cli)}.\n`);
}
