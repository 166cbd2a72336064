/** What people type who know other commands, and the command of ours that does it. */
const KNOWN_WORDS: Readonly<Record<string, string>> = {
  ...sameFor("get secret", "list", "ls", "secrets", "secret", "show", "search", "describe", "all"),
  ...sameFor("create secret NAME, or update secret NAME", "set", "put", "add", "new", "store", "save", "write"),
  ...sameFor("update secret NAME", "edit", "change", "replace", "patch", "rotate"),
  ...sameFor("delete secret NAME", "rm", "remove", "del", "unset", "destroy"),
  ...sameFor(
    "get secret NAME, which shows all but the value; values go to tasks (run) and into files and pipes (export --with-values)",
    ...["read", "cat", "reveal", "view", "print", "fetch", "value"],
  ),
  ...sameFor("run FILE TASK", "exec", "start-task", "execute", "task"),
  ...sameFor("serve", "start", "server", "up", "init", "daemon", "service"),
  ...sameFor("doctor", "status", "check", "health", "ping", "whoami", "validate", "verify", "info", "diagnose"),
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

/** The command line that people mean by `help COMMAND`, `version` and `-v`, which many other commands take. */
export function usualWords(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first === "help") return [...rest, "--help"];
  return rest.length === 0 && (first === "version" || first === "-v") ? ["--version"] : argv;
}

/** Commands that another word belongs to, as in `create secret NAME`. */
const VERBS: ReadonlySet<string> = new Set(["create", "get", "update", "delete"]);

/** What to type for a command line with a word that is no command: `list` is `get secret`, `create api-key` lacks a word. */
export function meantCommand(word: string, argv: readonly string[]): string | undefined {
  const verb = argv.slice(0, argv.indexOf(word)).find((before) => VERBS.has(before));
  if (verb === undefined || word === "list" || word === "all") return knownWord(word);
  return word === "secrets" ? `${verb} secret` : `${verb} secret ${quotedName(word)}`;
}

/** A name as it stands; whatever else was typed isn't repeated. */
const quotedName = (word: string): string => (/^[\w-]{1,63}$/.test(word) ? word : "NAME");
