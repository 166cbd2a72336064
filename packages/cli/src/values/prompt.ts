import { escapeControls, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { readTypedLine } from "./typed-line.ts";

/**
 * Asks on the terminal; the question goes to standard error, so that standard output stays the command's result. Ctrl-C
 * and the end of input are `canceled`. Callers check {@link canPrompt} first and name the options that say the same.
 */
export interface Prompt {
  /**
   * Without echo. Never empty: an empty answer is asked for again. Several lines, pasted, are `usage`: it takes one
   * ({@link readTypedLine}).
   */
  secret(question: string): Promise<string>;
  /** Never empty. */
  text(question: string): Promise<string>;
  /** No is the default. */
  confirm(question: string): Promise<boolean>;
}

/** Whether input and error output are a terminal, so that a prompt can be shown. */
export function canPrompt(cli: CliContext): boolean {
  return cli.stdin.isTTY === true && cli.stderr.isTTY;
}

/** Loads the prompt library, which the commands that don't ask can do without. */
export async function openPrompt(cli: CliContext): Promise<Prompt> {
  const { confirm, input, password } = await import("@inquirer/prompts");
  const output = cli.stderr.raw;
  const context = { input: cli.stdin, output };
  const notEmpty = (answer: string) => answer !== "" || "It is empty. Type it, or press Ctrl-C to leave.";
  return {
    secret: (message) =>
      readTypedLine(cli, {
        ask: (input) => answered(password({ message, mask: false, validate: notEmpty }, { input, output })),
      }),
    text: (message) => answered(input({ message, validate: notEmpty }, context)),
    confirm: (message) => answered(confirm({ message: escapeControls(message), default: false }, context)),
  };
}

async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === "ExitPromptError") {
      throw new SecretsError("canceled", "cancelled at the prompt; nothing was written");
    }
    throw error;
  }
}

/**
 * Asks for confirmation before something is removed. Throws `canceled` unless the answer is yes; false without a
 * terminal.
 */
export async function confirmRemoval(question: string, { cli, otherwise }: ConfirmOptions): Promise<boolean> {
  if (!canPrompt(cli)) return false;
  const prompt = await openPrompt(cli);
  if (!(await prompt.confirm(question))) throw new SecretsError("canceled", `not confirmed; ${otherwise}`);
  return true;
}

interface ConfirmOptions {
  readonly cli: CliContext;
  /** What a no means, after `not confirmed`. */
  readonly otherwise: string;
}
