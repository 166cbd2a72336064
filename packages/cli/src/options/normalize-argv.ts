import { nearestName } from "@flyte-secrets/core";
import type { Command } from "commander";
import { isPythonFile } from "./task-file.ts";

/**
 * The option that stands for every setting in help texts, and carries them to the command: see `setting-options.ts`.
 */
export const SETTING_FLAG = "--section.path";

/**
 * `argv` in the spelling that the option parser knows. It has one-letter short options, so Flyte's `-of json` would be
 * `-o f json`: `-of` becomes `--output-format`. It knows no option per setting, so `--secret.server.port 9` becomes
 * `--section.path=secret.server.port=9`; without a value, as Flyte's switches may be, the setting is `true`. Values of
 * other options and everything after `--` are left alone, and so is what follows the task of `run FILE.py TASK`.
 */
export function normalizeArgv(argv: readonly string[], program: Command): string[] {
  const takesValue = new Set(
    allCommands(program)
      .flatMap((command) => command.options)
      .filter((option) => option.required)
      .flatMap((option) => [option.short, option.long]),
  );
  const spelled: string[] = [];
  const operands: string[] = [];
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
    else if (!known.startsWith("-")) operands.push(known);
    const [command, file = "", task] = operands;
    // As in Flyte's own command, what follows the name of a Python task is for the task.
    if (command === "run" && isPythonFile(file) && task !== undefined && rest[0] !== "--")
      return [...spelled, "--", ...rest];
  }
  return spelled;
}

/** `command` and every command below it. */
export function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** Words of other commands, and the command here that does the same. */
const KNOWN_WORDS: Readonly<Record<string, string>> = {
  ...sameFor("get secret", "list", "ls", "secrets", "secret", "show", "search", "describe", "all"),
  ...sameFor("create secret NAME, or update secret NAME", "set", "put", "add", "new", "store", "save", "write"),
  ...sameFor("update secret NAME", "edit", "change", "replace", "patch", "rotate"),
  ...sameFor("delete secret NAME", "rm", "remove", "del", "unset", "destroy"),
  ...sameFor("read KEY, into a pipe or file", "cat", "reveal", "view", "print", "fetch", "value"),
  ...sameFor("inject -i TEMPLATE -o FILE", "template", "render", "envsubst"),
  ...sameFor("run FILE TASK", "start-task", "task"),
  ...sameFor("exec -s KEY -- COMMAND", "execute", "with", "shell"),
  ...sameFor("serve", "start", "server", "up", "daemon", "service"),
  ...sameFor("doctor", "status", "health", "ping", "whoami", "validate", "verify", "info", "diagnose"),
  ...sameFor("scopes", "projects", "domains", "project", "domain", "namespaces"),
  ...sameFor("import FILE", "load", "upload", "apply", "push"),
  ...sameFor("export", "dump", "download", "pull", "env"),
};

function sameFor(command: string, ...words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => [word, command]));
}

/** The command to type instead of `word`; undefined where it isn't one of those. */
function knownWord(word: string): string | undefined {
  return Object.hasOwn(KNOWN_WORDS, word) ? KNOWN_WORDS[word] : undefined;
}

/** `help COMMAND`, `version` and `-v`, which many commands take, as options of this one. */
export function expandAliases(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first === "help") return [...rest, "--help"];
  return rest.length === 0 && (first === "version" || first === "-v") ? ["--version"] : argv;
}

/** Commands that another word belongs to, as in `create secret NAME`. */
const VERBS: ReadonlySet<string> = new Set(["create", "get", "update", "delete"]);

/**
 * What to type for a command line with a word that is no command: `list` is `get secret`, `create api-key` lacks a
 * word, `create secert api-key` has a typing error.
 */
export function suggestCommand(word: string, argv: readonly string[]): string | undefined {
  const verb = argv.slice(0, argv.indexOf(word)).find((before) => VERBS.has(before));
  if (verb === undefined || word === "list" || word === "all") return knownWord(word);
  if (word === "secrets") return `${verb} secret`;
  const [next] = argv.slice(argv.indexOf(word) + 1);
  const isTypo = next !== undefined && !next.startsWith("-") && nearestName(word, ["secret"]) !== undefined;
  return `${verb} secret ${quotedName(isTypo ? next : word)}`;
}

/** The name, or `NAME` for anything else, which could be a value. */
const quotedName = (word: string): string => (/^[\w-]{1,63}$/.test(word) ? word : "NAME");
