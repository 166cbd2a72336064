import { SecretsError } from "@flyte-secrets/core";
import type { Command, Option } from "commander";

/**
 * The options that `command` was called with, those written before its name on the command line included; the nearest
 * to the command's own place wins. An option that a parent takes and this command has no use for is `usage`, so that
 * none is ignored silently. `T` states what the command's own `option` calls declare.
 */
export function mergeOptions<T>(command: Command): T {
  const own = new Set(command.options.map((option) => option.attributeName()));
  const isGiven = (where: Command, name: string) => where.getOptionValueSource(name) === "cli";
  const settled = new Set([...own].filter((name) => isGiven(command, name)));
  const merged: Record<string, unknown> = { ...command.opts() };
  for (let parent = command.parent; parent; parent = parent.parent) {
    for (const option of parent.options) {
      const name = option.attributeName();
      if (!isGiven(parent, name)) continue;
      if (!own.has(name)) throw misplaced(option, command);
      if (!settled.has(name)) merged[name] = checkedChoice(parent.getOptionValue(name), { option, command });
      settled.add(name);
    }
  }
  // Commander fills exactly the attributes that the options declare; nothing else knows their types.
  return merged as T;
}

/** The value, unless the command's own option of that name has other choices than the parent's. */
function checkedChoice(value: unknown, { option, command }: { option: Option; command: Command }): unknown {
  const choices = command.options.find((own) => own.attributeName() === option.attributeName())?.argChoices;
  if (choices === undefined || choices.includes(String(value))) return value;
  throw new SecretsError("usage", `${option.long} of ${commandPath(command)} is one of ${choices.join(", ")}`);
}

function misplaced(option: Option, command: Command): SecretsError {
  return new SecretsError("usage", `${option.long} has no meaning for '${commandPath(command)}'; leave it out`);
}

/** The words that call a command, without the program's own name: `create secret`. */
export function commandPath(command: Command): string {
  const above = command.parent?.parent ? `${commandPath(command.parent)} ` : "";
  return above + command.name();
}

/** Throws `usage`, naming both, when more than one of these options was given. Keys are flags as users write them. */
export function rejectCombination(given: Readonly<Record<string, unknown>>): void {
  const [first, second] = givenFlags(given);
  if (second !== undefined) throw new SecretsError("usage", `${first} cannot be used with ${second}`);
}

/** Throws `usage` when one of these options was given without `needed`, the flag that gives it a meaning. */
export function requireFor(needed: string, given: Readonly<Record<string, unknown>>): void {
  const [first] = givenFlags(given);
  if (first !== undefined) throw new SecretsError("usage", `${first} needs ${needed}`);
}

/** The flags among `given` that have a value: not undefined and not false. */
export function givenFlags(given: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(given).filter((flag) => given[flag] !== undefined && given[flag] !== false);
}

/** Reads an option that may be repeated: all its values, in their order. */
export function collectValues(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
