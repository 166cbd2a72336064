import type { Command } from "commander";
import type { Host } from "../host.ts";
import { mergedOptions } from "../options/merged-options.ts";
import {
  addSecretOptions,
  type ChangeOptions,
  checkSecretOptions,
  describeScope,
  type SecretCommandOptions,
} from "../options/secret-command-options.ts";
import { addValueOptions, checkValueOptions, type ValueOptions } from "../values/value-options.ts";

/** Adds the options that `create` and `update` share. */
export function addWriteOptions(command: Command): Command {
  return addSecretOptions(addValueOptions(command));
}

/**
 * Creates or updates the secret that `command` was called for. Everything that can be refused without the value is refused before it
 * is asked for: options, names, a service that can't be reached, a secret that is there already or isn't there.
 */
export async function writeSecret(how: "create" | "update", name: string, command: Command, host: Host): Promise<void> {
  const options = mergedOptions<SecretCommandOptions & ChangeOptions & ValueOptions>(command);
  checkSecretOptions(options, name, how === "create");
  checkValueOptions(options, options);
  const { Secret } = await import("@flyte-secrets/sdk/remote");
  const { openClient } = await import("../remote/open-client.ts");
  const { describeElsewhere, findWriteTarget } = await import("../remote/target.ts");
  const { announceNewScope } = await import("../secrets/new-scope.ts");
  const { expectSecret, orExpected } = await import("../secrets/expect-secret.ts");
  const { checkSomebodyToAsk, readSecretValue } = await import("../values/read-secret-value.ts");
  checkSomebodyToAsk(options, host);
  const target = await findWriteTarget(options, host);
  await using client = await openClient(target, { ...options, host, mayMake: how === "create" });
  const expected = { name, options, client, isThere: how === "update" };
  await expectSecret(expected);
  if (how === "create") await announceNewScope(client, options, host);
  const value = await readSecretValue(options, host);
  // Somebody else may have been faster.
  await orExpected(expected, () =>
    Secret[how]({ client, name, value, type: options.type, clusterPool: options.clusterPool, force: options.force }),
  );
  const done = how === "create" ? "Created" : "Updated";
  host.stdout.write(`${done} secret ${name} (${describeScope(options)})${describeElsewhere(target, host)}.\n`);
}
