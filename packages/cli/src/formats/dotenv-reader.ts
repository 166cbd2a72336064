import { excerpt, type SecretsError } from "@flyte-secrets/core";
import { formatError } from "./secret-entry.ts";

/** One `NAME=value` of a `.env` file. */
export interface DotenvAssignment {
  readonly line: number;
  readonly variable: string;
  readonly value: string;
  /** The secret's own name, when the comment of {@link secretComment} is the line before. */
  readonly secret?: string;
}

const COMMENT = /^[ \t]*(?:#|$)/;
const SECRET_COMMENT = /^# flyte-secrets: ([-\w]+)$/;
const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([-.\w]+)([ \t]*)=[ \t]*/;
const AFTER_QUOTE = /^[ \t]*(?:#|$)/;

/** Line breaks for some readers and not for others. */
const ODD_LINE_BREAK = /[\r\u2028\u2029]/;
/** What some readers trim off a value: white space of every kind and control characters. */
const ODD_EDGE = /^[\p{Cc}\p{Z}\ufeff]|[\p{Cc}\p{Z}\ufeff]$/u;
/**
 * docker compose puts a variable's value, or `$`, in place of these. It compares letters without case, as Unicode has
 * it.
 */
const EXPANDED = /\$[$_{a-zA-Z\u017f\u212a]/;
/** All readers take `\n` and `\r` within `"` for a line break and leave `\d` alone; what these become differs. */
const ODD_ESCAPE = { '"': /\\(?:[\\"'$abftv0]|$)/, "'": /\\(?:\\|$)/ } as const;

const SINGLE_QUOTES = "put its value between '";
const JSON_FILE = "import it from a JSON file";

/** The comment before an assignment whose secret has another name than its variable. */
export function secretComment(secret: string): string {
  return `# flyte-secrets: ${secret}\n`;
}

/**
 * Reads a `.env` file as npm's `dotenv`, python-dotenv and docker compose all read it. Where they differ, or pass over
 * something in silence, it throws `invalid_argument` with the line and how to write it instead. A variable stands once.
 */
export function readAssignments(text: string): DotenvAssignment[] {
  const found = new Map<string, DotenvAssignment>();
  let secret: string | undefined;
  for (let at = 0, line = 1; at < text.length; ) {
    const { content, next } = lineAt(text, at);
    if (COMMENT.test(content)) {
      if (ODD_LINE_BREAK.test(content)) throw oddLineBreak(line);
      secret = SECRET_COMMENT.exec(content)?.[1];
      at = next;
      line += 1;
      continue;
    }
    const [head, variable, gap] = ASSIGNMENT.exec(content) ?? [];
    // `export =1` names nothing for python-dotenv, and npm's dotenv drops `__proto__`.
    const isNamed = variable !== "__proto__" && !(variable === "export" && gap !== "");
    if (head === undefined || variable === undefined || !isNamed) throw notAssignment(line, content);
    if (found.has(variable)) throw formatError(`line ${line}: ${excerpt(variable)} stands twice in the file`);
    const value = readValue({ text, at: at + head.length, line, variable });
    found.set(variable, { line, variable, value: value.text, ...(secret !== undefined && { secret }) });
    secret = undefined;
    at = value.next;
    line += value.lines;
  }
  return [...found.values()];
}

/** Where a value begins, and of which variable. */
interface Place {
  readonly text: string;
  readonly at: number;
  readonly line: number;
  readonly variable: string;
}

interface Value {
  readonly text: string;
  /** Where the line behind it begins. */
  readonly next: number;
  /** How many lines it takes. */
  readonly lines: number;
}

function readValue(place: Place): Value {
  const quote = place.text[place.at];
  return quote === "'" || quote === '"' ? readQuoted(place, quote) : readBare(place);
}

/** To the closing quote, perhaps over several lines; a comment may follow. */
function readQuoted(place: Place, quote: "'" | '"'): Value {
  const { text, at, line, variable } = place;
  const end = text.indexOf(quote, at + 1);
  if (end === -1) throw formatError(`line ${line}: the ${quote} of ${excerpt(variable)} has no end`);
  const inside = text.slice(at + 1, end);
  if (inside.includes("\r")) throw refused(place, "has lines that end in CR LF or CR", "let them end in LF");
  if (ODD_ESCAPE[quote].test(inside)) {
    throw refused(place, "has a \\ that not all readers take alike", quote === '"' ? SINGLE_QUOTES : JSON_FILE);
  }
  const value = quote === "'" ? inside : inside.replace(/\\[nr]/g, (pair) => (pair === "\\n" ? "\n" : "\r"));
  if (quote === '"' && EXPANDED.test(value))
    throw refused(place, "has a $ that docker compose replaces", SINGLE_QUOTES);
  const brace = value.indexOf("${");
  if (brace !== -1 && value.includes("}", brace)) {
    throw refused(place, "has braces behind a $, which python-dotenv replaces", JSON_FILE);
  }
  const { content, next } = lineAt(text, end + 1);
  if (!AFTER_QUOTE.test(content)) {
    throw refused(
      place,
      `goes on behind its closing ${quote}`,
      `put all of it between ' without a ' in it, or ${JSON_FILE}`,
    );
  }
  if (ODD_LINE_BREAK.test(content)) throw oddLineBreak(line + countFeeds(inside));
  return { text: value, next, lines: 1 + countFeeds(inside) };
}

/** To the end of the line, or to a comment. */
function readBare(place: Place): Value {
  const { content, next } = lineAt(place.text, place.at);
  if (ODD_LINE_BREAK.test(content)) throw oddLineBreak(place.line);
  const hash = content.indexOf("#");
  const isComment = hash > 0 && content[hash - 1] === " ";
  if (hash !== -1 && !isComment) {
    const remedy = `${SINGLE_QUOTES}, or a comment on a line of its own`;
    throw refused(place, "has a # that some readers take for a comment", remedy);
  }
  const value = trimEnd(isComment ? content.slice(0, hash) : content);
  if (value.startsWith("`"))
    throw refused(place, "begins with a ` that only some readers take for a quote", SINGLE_QUOTES);
  if (EXPANDED.test(value)) throw refused(place, "has a $ that docker compose replaces", SINGLE_QUOTES);
  if (ODD_EDGE.test(value)) {
    throw refused(place, "begins or ends with an unusual space or a control character", SINGLE_QUOTES);
  }
  return { text: value, next, lines: 1 };
}

/** A line from there, without its end, and where the next begins. */
function lineAt(text: string, at: number): { content: string; next: number } {
  const feed = text.indexOf("\n", at);
  const end = feed === -1 ? text.length : feed;
  const content = text.slice(at, end);
  return { content: content.endsWith("\r") ? content.slice(0, -1) : content, next: end + 1 };
}

function trimEnd(text: string): string {
  let end = text.length;
  while (text[end - 1] === " " || text[end - 1] === "\t") end -= 1;
  return text.slice(0, end);
}

function countFeeds(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function refused({ line, variable }: Place, what: string, remedy: string): SecretsError {
  return formatError(`line ${line}: the value of ${excerpt(variable)} ${what}: ${remedy}`);
}

/** Nothing of the line is quoted: it may be part of a value without quotes, such as a key's. */
function notAssignment(line: number, content: string): SecretsError {
  if (ASSIGNMENT.test(content) || !content.includes("=")) return formatError(`line ${line}: expected NAME=value`);
  return formatError(
    `line ${line}: what is before the = is no name: letters, digits, _, - and . alone. If the line belongs to the ` +
      "value above, put all of that between '",
  );
}

function oddLineBreak(line: number): SecretsError {
  return formatError(
    `line ${line}: it has a line break (CR alone, U+2028 or U+2029) that some readers don't take for one: use LF`,
  );
}
