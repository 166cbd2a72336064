import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { Command } from "commander";
import { backupCommand, restoreCommand } from "./commands/backup.ts";
import { certsCommand } from "./commands/certs.ts";
import { completeCommand, completionCommand } from "./commands/completion.ts";
import { copyCommand } from "./commands/copy.ts";
import { copySecretsCommand } from "./commands/copy-secrets.ts";
import { deleteSecretCommand } from "./commands/delete-secret.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { explainCommand } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { getSecretCommand } from "./commands/get-secret.ts";
import { importCommand } from "./commands/import.ts";
import { discardKeyCommand, listKeysCommand, rotateKeysCommand } from "./commands/keys.ts";
import { markSystemCommand } from "./commands/mark-system.ts";
import { mutateCommand } from "./commands/mutate.ts";
import { rotateTokenCommand } from "./commands/rotate-token.ts";
import { runCommand } from "./commands/run.ts";
import { scopesCommand } from "./commands/scopes.ts";
import { secretNameCommand } from "./commands/secret-name.ts";
import { serveCommand } from "./commands/serve.ts";
import { webhookCommand } from "./commands/webhook.ts";
import { createSecretCommand, updateSecretCommand } from "./commands/write-secret.ts";
import type { Host } from "./context.ts";
import { examples, group, verb } from "./options/command-tree.ts";
import { allCommands } from "./options/normalize-argv.ts";
import { addGlobalOptions } from "./options/secret-options.ts";

/** Longer lines are hard to read, also on a wide terminal. */
const MAX_HELP_WIDTH = 100;

/** The whole command: every subcommand, in the order of the help text. Errors and help go to the host's streams. */
export function createProgram(host: Host): Command {
  const program = new Command("flyte-secrets")
    .description("Secrets for Flyte tasks: keep them, hand them to tasks, run tasks with them on this machine.")
    .version(version(), "-V, --version", "print the version");
  addGlobalOptions(program);
  program
    .commandsGroup("Secrets:")
    .addCommand(verb("create", "Create a secret", createSecretCommand(host)))
    .addCommand(verb("get", "List secrets, or show one", getSecretCommand(host)))
    .addCommand(verb("update", "Give a secret a new value", updateSecretCommand(host)))
    .addCommand(verb("delete", "Delete a secret", deleteSecretCommand(host)))
    .addCommand(scopesCommand(host))
    .addCommand(importCommand(host))
    .addCommand(exportCommand(host))
    .addCommand(copyCommand("copy", host))
    .addCommand(copyCommand("move", host))
    .addCommand(secretNameCommand(host))
    .commandsGroup("Tasks:")
    .addCommand(runCommand(host))
    .addCommand(explainCommand(host))
    .addCommand(mutateCommand(host))
    .commandsGroup("Service and store of this machine:")
    .addCommand(serveCommand(host))
    .addCommand(webhookCommand(host))
    .addCommand(certsCommand(host))
    .addCommand(doctorCommand(host))
    .addCommand(copySecretsCommand(host))
    .addCommand(backupCommand(host))
    .addCommand(restoreCommand(host))
    .addCommand(group("token", "Put a new token in place", rotateTokenCommand(host)))
    .addCommand(
      group(
        "keys",
        "The keys that seal this machine's store",
        rotateKeysCommand(host),
        listKeysCommand(host),
        discardKeyCommand(host),
      ),
    )
    .addCommand(
      group("system", "Hide secrets from the API", markSystemCommand("mark", host), markSystemCommand("unmark", host)),
    )
    .commandsGroup("This command:")
    .addCommand(completionCommand(host))
    .addCommand(completeCommand(program, host), { hidden: true })
    .addHelpText("after", examples("serve", "create secret api-key", "get secret"));
  for (const command of allCommands(program)) configure(command, host);
  return program;
}

/** Options belong to the command before whose arguments they stand, so that the value of one is never taken for another. */
function configure(command: Command, host: Host): void {
  command
    .enablePositionalOptions()
    .helpCommand(false)
    .exitOverride()
    .configureHelp({
      subcommandTerm: callOf,
      styleTitle: (title) => styleText("bold", title, { validateStream: false }),
    })
    .configureOutput({
      getOutHasColors: () => host.stdout.hasColors,
      getErrHasColors: () => host.stderr.hasColors,
      getOutHelpWidth: () => helpWidth(host),
      getErrHelpWidth: () => helpWidth(host),
      // Help is our own text, whose styles are no foreign ones to be escaped.
      writeOut: (text) => host.stdout.raw.write(text),
      writeErr: (text) => host.stderr.raw.write(text),
      // Told by `describeFailure`, in one line and without values.
      outputError: () => {},
    });
}

/** How a command is called, in its parent's list: with the words that follow it. */
function callOf(command: Command): string {
  const [first] = command.commands;
  if (first)
    return `${command.name()} ${callOf(first).replace(/^\S+/, command.commands.map((next) => next.name()).join("|"))}`;
  const words = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
  );
  return [command.name(), ...words].join(" ");
}

function helpWidth(host: Host): number {
  return Math.min(host.stdout.columns ?? MAX_HELP_WIDTH, MAX_HELP_WIDTH);
}

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version; // our own file
}
