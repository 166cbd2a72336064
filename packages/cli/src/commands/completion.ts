import { Argument, Command } from "commander";
import { complete } from "../completion/complete.ts";
import { completionScript, SHELLS, type Shell } from "../completion/shell-scripts.ts";
import type { CliContext } from "../context.ts";
import { formatExamples } from "../options/command-tree.ts";

/** `completion bash|zsh|fish`. */
export function completionCommand(cli: CliContext): Command {
  return new Command("completion")
    .summary("Print a script for your shell's Tab key")
    .description(
      "Print a script that makes Tab complete commands, options, files, and the names and scopes of your own secrets.",
    )
    .addArgument(new Argument("<shell>", "your shell").choices([...SHELLS]))
    .addHelpText(
      "after",
      formatExamples(
        "completion bash > ~/.local/share/bash-completion/completions/flyte-secrets",
        "completion zsh > ~/.zsh/completions/_flyte-secrets",
        "completion fish > ~/.config/fish/completions/flyte-secrets.fish",
      ),
    )
    .action((shell: Shell) => {
      cli.stdout.write(completionScript(shell));
    });
}

/** `__complete -- WORDS`, which the scripts call. */
export function completeCommand(program: Command, cli: CliContext): Command {
  return new Command("__complete").argument("[words...]").action(async (words: string[]) => {
    const { words: known, files, own } = complete(program, words);
    const { completeOwnSecrets } = await import("../completion/complete.ts");
    const offered = own ? await completeOwnSecrets(own, cli) : known;
    cli.stdout.write(files ? ":files\n" : offered.map((word) => `${word}\n`).join(""));
  });
}
