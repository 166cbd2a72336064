import { isSecretsError } from "@flyte-secrets/core";
import type { Argument, Command, Option } from "commander";
import type { CliContext } from "../context.ts";

/** What can stand at the cursor: words, or a file's name. */
export interface Completion {
  readonly words: readonly string[];
  readonly files: boolean;
  /** What of this user's own secrets can stand there; `begin` is what is typed of it. */
  readonly own?: { readonly part: "name" | "project" | "domain"; readonly begin: string };
}

const NOTHING: Completion = { words: [], files: false };

/**
 * What can stand in place of the last of `words`, the words of the command line after the program's name. Read from
 * the commands themselves, so that it cannot fall behind them.
 */
export function complete(program: Command, words: readonly string[]): Completion {
  const current = words.at(-1) ?? "";
  const place = walk(program, words.slice(0, -1));
  if (place.option) return completeValue(place.option, current);
  if (current.startsWith("-")) return offered(flagsOf(place.command), current);
  const argument = place.command.registeredArguments.at(
    Math.min(place.operands, place.command.registeredArguments.length - 1),
  );
  if (argument?.name() === "file" && (place.operands === 0 || argument.variadic)) return { words: [], files: true };
  if (argument !== undefined && place.operands === 0 && namesExisting(argument, place.command)) {
    return { ...NOTHING, own: { part: "name", begin: current } };
  }
  const choices = place.operands === 0 ? (argument?.argChoices ?? []) : [];
  return offered([...subcommandsOf(place.command), ...choices], current);
}

/** Verbs in front of `secret NAME`, for a secret that is there. */
const EXISTING: ReadonlySet<string> = new Set(["get", "update", "delete"]);

/** Whether the argument is the name of a secret that is there. */
function namesExisting(argument: Argument, command: Command): boolean {
  if (argument.name() === "key") return command.name() === "read";
  return argument.name() === "name" && EXISTING.has(command.parent?.name() ?? "");
}

/** Where a command line has got to: the command, the option that waits for its value, the operands so far. */
function walk(program: Command, words: readonly string[]): { command: Command; option?: Option; operands: number } {
  let command = program;
  let option: Option | undefined;
  let operands = 0;
  for (const word of words) {
    // Bash hands over `--name=value` in three words.
    if (word === "=") continue;
    if (option) {
      option = undefined;
    } else if (word.startsWith("-")) {
      option = command.options.find(({ required, short, long }) => required && [short, long].includes(word));
    } else {
      const next = command.commands.find((candidate) => candidate.name() === word);
      if (next) command = next;
      else operands++;
    }
  }
  return { command, operands, ...(option && { option }) };
}

function completeValue(option: Option, current: string): Completion {
  if (option.argChoices) return offered(option.argChoices, current === "=" ? "" : current);
  const [, part] = /<(project|domain)>/.exec(option.flags) ?? [];
  if (part === "project" || part === "domain") {
    return { ...NOTHING, own: { part, begin: current === "=" ? "" : current } };
  }
  return /<(file|directory)>/.test(option.flags) ? { words: [], files: true } : NOTHING;
}

function flagsOf(command: Command): string[] {
  return [...command.options.filter((option) => !option.hidden).flatMap((option) => option.long ?? []), "--help"];
}

function subcommandsOf(command: Command): string[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((visible) => visible.name());
}

function offered(words: readonly string[], current: string): Completion {
  return { words: words.filter((word) => word.startsWith(current)), files: false };
}

/**
 * Returns the names, projects or domains in the user's own store that begin with the typed text. Tab sends no request
 * to other services; errors result in no proposals.
 */
export async function completeOwnSecrets(
  { part, begin }: NonNullable<Completion["own"]>,
  cli: CliContext,
): Promise<string[]> {
  const { openClient } = await import("../remote/open-client.ts");
  const { findTarget } = await import("../remote/target.ts");
  const { surveySecrets } = await import("../secrets/list-secrets.ts");
  try {
    const target = await findTarget({}, cli);
    if (target.kind === "endpoint") return [];
    await using client = await openClient(target, { cli });
    const words = new Set((await surveySecrets(client)).map((secret) => secret[part]));
    return [...words].filter((word) => word !== "" && word.startsWith(begin)).sort();
  } catch (error) {
    if (isSecretsError(error)) return [];
    throw error;
  }
}
