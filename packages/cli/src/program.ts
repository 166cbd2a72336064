import { styleText } from "node:util";
import { Command } from "commander";
import { carryOut } from "./carry-out.ts";
import { backupCommand, restoreCommand } from "./commands/backup.ts";
import { certsCommand } from "./commands/certs.ts";
import { checkCommand } from "./commands/check.ts";
import { completeCommand, completionCommand } from "./commands/completion.ts";
import { copyCommand } from "./commands/copy.ts";
import { copySecretsCommand } from "./commands/copy-secrets.ts";
import { deleteSecretCommand } from "./commands/delete-secret.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { execCommand } from "./commands/exec.ts";
import { explainCommand } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { getSecretCommand } from "./commands/get-secret.ts";
import { importCommand } from "./commands/import.ts";
import { initCommand } from "./commands/init.ts";
import { injectCommand } from "./commands/inject.ts";
import { discardKeyCommand, listKeysCommand, rotateKeysCommand } from "./commands/keys.ts";
import { markSystemCommand } from "./commands/mark-system.ts";
import { mcpCommand } from "./commands/mcp.ts";
import { mutateCommand } from "./commands/mutate.ts";
import { readCommand } from "./commands/read.ts";
import { rotateTokenCommand } from "./commands/rotate-token.ts";
import { runCommand } from "./commands/run.ts";
import { scopesCommand } from "./commands/scopes.ts";
import { secretNameCommand } from "./commands/secret-name.ts";
import { serveCommand } from "./commands/serve.ts";
import { webhookCommand } from "./commands/webhook.ts";
import { createSecretCommand, updateSecretCommand } from "./commands/write-secret.ts";
import type { CliContext } from "./context.ts";
import { commandGroup, formatExamples, verbGroup } from "./options/command-tree.ts";
import { allCommands } from "./options/normalize-argv.ts";
import { addGlobalOptions } from "./options/secret-options.ts";
import { VERSION_FLAGS, version } from "./program-files.ts";

/** Longer lines are hard to read, also on a wide terminal. */
const MAX_HELP_WIDTH = 100;

/** The whole command: every subcommand, in the order of the help text. Errors and help go to the context's streams. */
export function createProgram(cli: CliContext): Command {
  const program = new Command("flyte-secrets")
    // Also below, for every command; `exec` can't be added to one without it.
    .enablePositionalOptions()
    .description("Secrets for Flyte tasks: keep them, hand them to tasks, run tasks with them on this machine.")
    .version(version(), VERSION_FLAGS.join(", "), "print the version");
  addGlobalOptions(program);
  program
    .commandsGroup("Secrets:")
    .addCommand(verbGroup("create", "Create a secret", createSecretCommand(cli)))
    .addCommand(verbGroup("get", "List secrets, or show one", getSecretCommand(cli)))
    .addCommand(verbGroup("update", "Give a secret a new value", updateSecretCommand(cli)))
    .addCommand(verbGroup("delete", "Delete a secret", deleteSecretCommand(cli)))
    .addCommand(scopesCommand(cli))
    .addCommand(importCommand(cli))
    .addCommand(exportCommand(cli))
    .addCommand(copyCommand("copy", cli))
    .addCommand(copyCommand("move", cli))
    .addCommand(secretNameCommand(cli))
    .commandsGroup("Tasks:")
    .addCommand(runCommand(cli))
    .addCommand(execCommand(cli))
    .addCommand(readCommand(cli))
    .addCommand(injectCommand(cli))
    .addCommand(explainCommand(cli))
    .addCommand(checkCommand(cli))
    .addCommand(mutateCommand(cli))
    .addCommand(initCommand(cli))
    .addCommand(mcpCommand(cli, (argv, context) => carryOut(createProgram(context), argv, context)))
    .commandsGroup("Service and store of this machine:")
    .addCommand(serveCommand(cli))
    .addCommand(webhookCommand(cli))
    .addCommand(certsCommand(cli))
    .addCommand(doctorCommand(cli))
    .addCommand(copySecretsCommand(cli))
    .addCommand(backupCommand(cli))
    .addCommand(restoreCommand(cli))
    .addCommand(commandGroup("token", "Put a new token in place", rotateTokenCommand(cli)))
    .addCommand(
      commandGroup(
        "keys",
        "The keys that seal this machine's store",
        rotateKeysCommand(cli),
        listKeysCommand(cli),
        discardKeyCommand(cli),
      ),
    )
    .addCommand(
      commandGroup(
        "system",
        "Hide secrets from the API",
        markSystemCommand("mark", cli),
        markSystemCommand("unmark", cli),
      ),
    )
    .commandsGroup("This command:")
    .addCommand(completionCommand(cli))
    .addCommand(completeCommand(program, cli), { hidden: true })
    .addHelpText("after", formatExamples("serve", "create secret api-key", "get secret"));
  for (const command of allCommands(program)) configure(command, cli);
  return program;
}

/**
 * Options belong to the command before whose arguments they stand, so that the value of one is never taken for another.
 */
function configure(command: Command, cli: CliContext): void {
  command
    .enablePositionalOptions()
    .helpCommand(false)
    .exitOverride()
    .configureHelp({
      subcommandTerm: callOf,
      styleTitle: (title) => styleText("bold", title, { validateStream: false }),
    })
    .configureOutput({
      getOutHasColors: () => cli.stdout.hasColors,
      getErrHasColors: () => cli.stderr.hasColors,
      getOutHelpWidth: () => helpWidth(cli),
      getErrHelpWidth: () => helpWidth(cli),
      // Help is our own text, whose styles are no foreign ones to be escaped.
      writeOut: (text) => cli.stdout.raw.write(text),
      writeErr: (text) => cli.stderr.raw.write(text),
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

function helpWidth(cli: CliContext): number {
  return Math.min(cli.stdout.columns ?? MAX_HELP_WIDTH, MAX_HELP_WIDTH);
}
