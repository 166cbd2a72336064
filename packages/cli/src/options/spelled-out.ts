import type { Command } from "commander";

/** The option that stands for every setting in help texts, and carries them to the command: see `setting-options.ts`. */
export const SETTING_FLAG = "--section.path";

/**
 * `argv` in the spelling that the option parser knows. It has one-letter short options, so Flyte's `-of json` would be `-o f json`:
 * `-of` becomes `--output-format`. It knows no option per setting, so `--secret.server.port 9` becomes
 * `--section.path=secret.server.port=9`; without a value, as Flyte's switches may be, the setting is `true`. Values of other options
 * and everything after `--` are left alone.
 */
export function spelledOut(argv: readonly string[], program: Command): string[] {
  const takesValue = new Set(
    allCommands(program)
      .flatMap((command) => command.options)
      .filter((option) => option.required)
      .flatMap((option) => [option.short, option.long]),
  );
  const spelled: string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") return [...spelled, word, ...rest];
    const [, setting, attached] = /^--(\w[-\w]*(?:\.\w[-\w]*)+)(?:=(.*))?$/s.exec(word) ?? [];
    if (setting !== undefined) {
      const isSwitch = attached === undefined && (rest[0] === undefined || rest[0].startsWith("--"));
      spelled.push(`${SETTING_FLAG}=${setting}=${attached ?? (isSwitch ? "true" : rest.shift())}`);
      continue;
    }
    const known = word.replace(/^-of(?==|$)/, "--output-format");
    spelled.push(known);
    if (takesValue.has(known)) spelled.push(...rest.splice(0, 1));
  }
  return spelled;
}

/** `command` and every command below it. */
export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}
