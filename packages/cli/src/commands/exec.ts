import { excerpt, SecretsError } from "@flyte-secrets/core";
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { ExitError } from "../describe-failure.ts";
import type { ExecOptions } from "../exec/exec-command.ts";
import { collectValues, mergeOptions, rejectCombination } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions } from "../options/setting-options.ts";
import { addTaskScopeOptions } from "../options/task-scope-options.ts";
import { addPythonOption } from "../python/python-option.ts";

/** `exec [options] -- COMMAND`. */
export function execCommand(cli: CliContext): Command {
  const command = new ExecCommand("exec")
    .summary("Run any program on this machine with secrets")
    .description(
      "Run a program on this machine with the secrets that are asked for here, as a task that asks for them has " +
        "them in a cluster. Values are masked in its output. Signals and standard input reach the program. The exit " +
        "code is the program's; 128 + n after signal n, 127 when there is no such program, 126 when it can't be " +
        "executed.",
    )
    .usage("[options] -- COMMAND [ARGUMENT...]")
    .argument("[command...]", "the program and its arguments, after --")
    .passThroughOptions()
    .option(
      "-s, --secret <key>",
      "KEY, GROUP/KEY or KEY=VARIABLE: a secret in a variable; may be repeated",
      collectValues,
    )
    .option(
      "--file <key>",
      "KEY or KEY=VARIABLE: a secret in a file, and its path in that variable; may be repeated",
      collectValues,
    )
    .option(
      "--from <file>",
      "what a task of a Python file asks for (hello.py:main; hello.py: all its tasks), what a flyte-secrets.yaml says, " +
        "or all that the pods in a manifest ask for; - is one on standard input (default: the project's " +
        "flyte-secrets.yaml, if none of -s, --file and --redact is given)",
    )
    .option(
      "--from-env",
      "take the values from variables, as CI systems keep them: KEY or GROUP_KEY, or the variable's name",
    )
    .option("-v, --verbose", "say what the program is given and from which scope; never a value")
    .option(
      "--hold",
      "run no program: write the variables into a pipe, NAME=VALUE with a NUL behind each, and keep the files until " +
        "standard input ends",
    )
    .option("--no-mask", "leave values in the output, and the terminal to the program")
    .option(
      "--redact",
      "show names in place of values, also of the store's other secrets: for an agent, which reads the output",
    )
    .option("--no-mount", "leave files in their private directory, instead of mounting it at /etc/flyte/secrets");
  addPythonOption(command);
  addTaskScopeOptions(command);
  return addSettingOptions(command)
    .addHelpText(
      "after",
      formatExamples(
        "exec -s openai-key -- python train.py --epochs 3",
        "exec -s db/password=PGPASSWORD -p shop -d production -- psql -h localhost",
        "exec --file service-account=GOOGLE_APPLICATION_CREDENTIALS -- gcloud storage ls",
        "exec --from pod.yaml -- ./job.sh",
        "exec --from hello.py:main -- pytest",
        "exec --redact -s openai-key -- python train.py",
        "exec --environment staging -- pytest",
      ),
    )
    .action(async (words: readonly string[]) => {
      const options = mergeOptions<ExecOptions>(command);
      checkCall(words, options, { isSeparated: command.isSeparated, cli });
      const { execCommand } = await import("../exec/exec-command.ts");
      const exit = await execCommand(words, { options, cli });
      if (exit !== 0) throw new ExitError(exit);
    });
}

/** Knows whether `--` stands before the operands, which the option parser leaves out. */
class ExecCommand extends Command {
  isSeparated = false;

  override parseOptions(argv: string[]) {
    const parsed = super.parseOptions(argv);
    const words = parsed.operands.length + parsed.unknown.length;
    this.isSeparated = argv.length > words && argv.at(-words - 1) === "--";
    return parsed;
  }
}

interface ExecLine {
  /** Whether `--` stands before the program. */
  readonly isSeparated: boolean;
  readonly cli: CliContext;
}

function checkCall([file]: readonly string[], options: ExecOptions, { isSeparated, cli }: ExecLine): void {
  const { mask, redact, hold, fromEnv } = options;
  rejectCombination({ "--no-mask": !mask, "--redact": redact });
  rejectCombination({ "--hold": hold, "--redact": redact });
  // It would mask the secrets of the store, of which there is none.
  rejectCombination({ "--from-env": fromEnv, "--redact": redact });
  if (hold) checkHold(file, cli);
  else checkProgram(file, isSeparated);
}

function checkProgram(file: string | undefined, isSeparated: boolean): void {
  if (file === undefined) {
    throw new SecretsError("usage", "no program to run: write it after --, as in: exec -s KEY -- python train.py");
  }
  if (isSeparated) return;
  throw new SecretsError(
    "usage",
    `write -- before the program, so that its options are its own, as in: exec -s KEY -- ${excerpt(file)}`,
  );
}

function checkHold(file: string | undefined, { stdout }: CliContext): void {
  if (file !== undefined) throw new SecretsError("usage", "--hold runs no program; leave it out");
  if (stdout.isTTY) throw new SecretsError("usage", "--hold writes values into a pipe, and never to a terminal");
}
