import { parseEnv } from "node:util";
import { SecretValue } from "@flyte-secrets/core";
import { formatError, onceEach, type SecretEntry, type SecretFormat } from "./secret-entry.ts";

const ASSIGNMENT = /^\s*(?:export\s+)?([-.\w]+)\s*=[ \t]*(["'`]?)(.*)$/s;

/**
 * `.env`, read by Node's own parser. That one skips what it doesn't understand and lets the last of two win; here a line that is
 * no assignment, a quote without end and a name given twice are errors with the line.
 */
export const dotenvFormat: SecretFormat = {
  name: "env",
  matches: (fileName) => /(^|\/)\.env(\..*)?$|\.env$/.test(fileName),
  parse(text) {
    const values = parseEnv(text);
    return onceEach(
      namesOf(text).map((name) => ({ name, type: "generic", value: SecretValue.fromText(values[name] ?? "") })),
    );
  },
  print: (entries) => entries.map(printLine).join(""),
};

/** The names a text assigns, in order. */
function namesOf(text: string): string[] {
  const names: string[] = [];
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name, quote, rest] = ASSIGNMENT.exec(line) ?? [];
    if (name === undefined || rest === undefined) throw formatError(`line ${index + 1}: expected NAME=value`);
    names.push(name);
    if (quote && !rest.includes(quote)) {
      let end = index + 1;
      while (lines[end]?.includes(quote) === false) end += 1;
      if (end >= lines.length) throw formatError(`line ${index + 1}: the ${quote} of ${name} has no end`);
      index = end;
    }
  }
  return names;
}

function printLine({ name, type, value }: SecretEntry): string {
  if (value === undefined) return `# ${name}=\n`;
  if (type !== "generic")
    throw formatError(`${name} is an image-pull secret, which .env cannot say; use --format json`);
  const text = value.revealText();
  const line = ["'", "`", '"']
    .map((quote) => `${name}=${quote}${text}${quote}\n`)
    .find((line) => readsBack(line, name, text));
  // The format has no escapes: bytes, or a text with every kind of quote in it, have no way to be written.
  if (line === undefined) throw formatError(`the value of ${name} cannot be written in .env; use --format json`);
  return line;
}

function readsBack(line: string, name: string, text: string | undefined): boolean {
  return text !== undefined && !text.includes("\r") && parseEnv(line)[name] === text;
}
