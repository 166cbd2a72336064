import { isSecretsError, stackLines } from "@flyte-secrets/core";
import { CommanderError } from "commander";
import { DetailedError } from "./failure.ts";
import { SETTING_FLAG, suggestCommand } from "./options/normalize-argv.ts";

/** What to print for a command that failed, and its exit code. `line` is absent where everything has been printed. */
export interface Failure {
  readonly line?: string;
  /** Shown below it as they are. */
  readonly details?: readonly string[];
  readonly exit: number;
}

/** Ends a command with this exit code, after it has printed everything itself. */
export class ExitError extends Error {
  readonly exit: number;

  constructor(exit: number) {
    super(`exit code ${exit}`);
    this.exit = exit;
  }
}

/**
 * The line to print, without anything that could be a value: the message of an unexpected error may quote its input, so
 * only its kind and place are given. Exit codes: 2 for usage, 1 for the rest.
 */
export function describeFailure(error: unknown, argv: readonly string[] = []): Failure {
  if (error instanceof ExitError) return { exit: error.exit };
  if (error instanceof CommanderError) return describeUsage(error, argv);
  if (error instanceof DetailedError) {
    return { line: oneLine(error.message), details: error.details, exit: error.kind.exit };
  }
  if (isSecretsError(error)) return { line: oneLine(error.message), exit: error.kind.exit };
  return { line: describeInternalError(error), exit: 1 };
}

/**
 * What to print of an error that we did not raise on purpose: its kind and place, without its message, which may quote
 * a value.
 */
export function describeInternalError(error: unknown): string {
  return `internal fault, please report it: ${describeUnknown(error)}`;
}

function describeUsage(error: CommanderError, argv: readonly string[]): Failure {
  switch (error.code) {
    case "commander.help":
    case "commander.helpDisplayed":
    case "commander.version":
      return { exit: error.exitCode === 0 ? 0 : 2 };
    case "commander.excessArguments":
      // The arguments themselves stay out: `create secret NAME VALUE` is an easy mistake.
      return { line: `${error.message.replace(/^error: /, "").replace(/: .*/s, "")}; see --help`, exit: 2 };
    case "commander.missingArgument":
    case "commander.missingMandatoryOptionValue":
      return { line: `${oneLine(error.message.replace(/^error: /, ""))}; see --help`, exit: 2 };
    case "commander.unknownOption":
      return { line: `${withoutAttachedValue(error.message.replace(/^error: /, ""))}; see --help`, exit: 2 };
    case "commander.unknownCommand":
      return { line: describeUnknownCommand(error.message, argv), exit: 2 };
    default:
      return { line: oneLine(error.message.replace(/^error: /, "")), exit: 2 };
  }
}

/** What is known from other commands leads to ours; commander's own guess is by letters alone. */
function describeUnknownCommand(message: string, argv: readonly string[]): string {
  const word = /'([^']*)'/.exec(message)?.[1] ?? "";
  const instead = suggestCommand(word, argv);
  return instead === undefined
    ? oneLine(message.replace(/^error: /, ""))
    : `unknown command '${word}'; use: flyte-secrets ${instead}`;
}

/**
 * `unknown option '--valu=x'` without what follows the `=`, and `'-vx'` without what follows the letter; a setting by
 * its path.
 */
function withoutAttachedValue(message: string): string {
  const suggestion = /\(Did you mean .*\?\)$/.exec(message)?.[0];
  const unknown = message.replace(`'${SETTING_FLAG}=`, "'--");
  const flag = /'(--[^=']*|-[^-])/.exec(unknown)?.[1] ?? "";
  return `unknown option '${flag}'${suggestion ? ` ${suggestion}` : ""}`;
}

function describeUnknown(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = "code" in error ? ` ${String(error.code)}` : "";
  const [place] = stackLines(error);
  return `${error.name}${code}${place ? ` ${place}` : ""}`;
}

function oneLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").join(" ");
}
