import { PassThrough, type Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { escapeControls, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";

/**
 * Prompts on the terminal. The question is written to standard error, so that standard output only has the command's
 * result. Ctrl-C and the end of input are `canceled`. Callers check {@link canPrompt} first, and name the options that
 * replace the prompt.
 */
export interface Prompt {
  /**
   * Without echo. Never empty: the prompt is repeated after empty input. Several pasted lines are `usage`, since it
   * reads one line ({@link readTypedLine}).
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

/** Loads the prompt library, which only commands that prompt need. */
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

/** A terminal that knows bracketed paste puts these around what is pasted, while the mode is on. */
const PASTE = { on: "\u001b[?2004h", off: "\u001b[?2004l", start: "\u001b[200~", end: "\u001b[201~" };
const CONTROL_C = "\u0003";
/** How long nothing must come after the line from a terminal that doesn't: a paste over a slow line comes in pieces. */
const QUIET_MS = 100;

interface TypedLineOptions {
  /** Has the person type the line, from this input. */
  ask(input: Readable): Promise<string>;
  /** Resolves when it has been quiet long enough; default after 100 ms. For tests. */
  readonly quiet?: () => Promise<unknown>;
}

/**
 * The line that is typed or pasted at the terminal, which shows nothing of it, nor of what comes behind it. `usage`
 * when more lines come, however slowly: a pasted key would be cut off after its first line without a word (T-12).
 */
export async function readTypedLine({ stdin, stderr }: CliContext, options: TypedLineOptions): Promise<string> {
  const { ask, quiet = () => delay(QUIET_MS) } = options;
  const input = new PassThrough();
  const typed = createTyped();
  const onData = (chunk: Buffer | string) => {
    typed.add(String(chunk));
    input.write(chunk);
  };
  const onEnd = () => input.end();
  stderr.raw.write(PASTE.on);
  // The terminal shows nothing from here on until the paste is over, and not only until the line is.
  stdin.setRawMode?.(true);
  stdin.on("data", onData);
  stdin.on("end", onEnd);
  // An earlier prompt has paused it.
  stdin.resume();
  try {
    const line = await ask(input);
    for (let before = -1; before !== typed.length() || typed.isPasting(); ) {
      before = typed.length();
      await quiet();
      if (stdin.readableEnded) break;
    }
    if (!typed.hasMore()) return line;
    throw new SecretsError(
      "usage",
      "the value has several lines and the prompt takes one; use --from-file. Nothing was written",
    );
  } finally {
    stdin.off("data", onData);
    stdin.off("end", onEnd);
    stdin.pause();
    stdin.setRawMode?.(false);
    stderr.raw.write(PASTE.off);
  }
}

/** What has come from the terminal since the last time that Enter alone was typed. */
function createTyped() {
  let text = "";
  return {
    add(chunk: string) {
      text = text === "" && /^[\r\n]+$/.test(chunk) ? "" : text + chunk;
    },
    length: () => text.length,
    /** Until the paste's end, or Ctrl-C: a terminal may break off. */
    isPasting() {
      const start = text.lastIndexOf(PASTE.start);
      return start > text.lastIndexOf(PASTE.end) && !text.includes(CONTROL_C, start);
    },
    /** Whether there is anything behind the first line. */
    hasMore() {
      const lines = text.replaceAll(PASTE.start, "").replaceAll(PASTE.end, "").trimEnd();
      return /[\r\n]/.test(lines);
    },
  };
}
