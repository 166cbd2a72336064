import { excerpt, SecretsError, SecretValue } from "@flyte-secrets/core";
import { Secret } from "@flyte-secrets/sdk";
import { readAssignments, secretComment } from "./dotenv-reader.ts";
import {
  assertUniqueEntries,
  DOTENV_READERS,
  type DotenvReader,
  formatError,
  type SecretEntry,
  type SecretFormat,
} from "./secret-entry.ts";
import { shellVariableFault } from "./shell-variables.ts";

const NAMES = { sh: "shells", compose: "docker compose", dotenv: "python-dotenv and npm's dotenv" } as const;

/**
 * `.env`. What is read, and written unless it is for one reader alone, means the same to npm's `dotenv`, python-dotenv
 * and docker compose; what is written, to bash and dash too. A secret whose name is no variable stands under the one
 * that the SDK derives, with a comment before it.
 */
export const dotenvFormat: SecretFormat = {
  name: "env",
  matches: (fileName) => /(^|\/)\.env(\..*)?$|\.env$/.test(fileName),
  parse(text) {
    const entries = readAssignments(text).map(({ line, variable, value, secret }): SecretEntry => {
      if (secret !== undefined && variableOf(secret) !== variable) {
        const found = excerpt(variable);
        throw formatError(
          `line ${line}: ${found} is not the variable of ${excerpt(secret)}, which the comment before it names`,
        );
      }
      return { name: secret ?? variable, type: "generic", value: SecretValue.fromText(value) };
    });
    return assertUniqueEntries(entries);
  },
  print(entries, { reader, scoped } = {}) {
    if (scoped) throw new SecretsError("usage", "a .env file has no scopes; use --format json or kubernetes");
    const secrets = new Map<string, string>();
    return entries.map((entry) => printEntry(entry, secrets, reader)).join("");
  },
};

/** `secrets` are the variables so far, and whose they are. */
function printEntry({ name, type, value }: SecretEntry, secrets: Map<string, string>, reader?: DotenvReader): string {
  const variable = variableOf(name);
  if (variable === undefined || variable === "__proto__") {
    throw formatError(`${name} has no name that a variable can have; use --format json`);
  }
  const fault = shellVariableFault(variable);
  if (fault !== undefined) throw formatError(`${name} would be the variable ${variable}, ${fault}; use --format json`);
  const other = secrets.get(variable);
  if (other !== undefined) {
    throw formatError(`${other} and ${name} would both be the variable ${variable}; use --format json`);
  }
  secrets.set(variable, name);
  const comment = variable === name ? "" : secretComment(name);
  if (value === undefined) return `${comment}# ${variable}=\n`;
  if (type !== "generic") {
    throw formatError(`${name} is an image-pull secret, which .env cannot say; use --format json`);
  }
  return `${comment}${variable}=${encodeValue(name, value.revealText(), reader)}\n`;
}

function encodeValue(name: string, text: string | undefined, reader?: DotenvReader): string {
  if (text === undefined) {
    throw formatError(`the value of ${name} is bytes and no text, which a .env file can't hold; use --format json`);
  }
  const encoded = encodeDotenvValue(text, reader);
  if (encoded !== undefined) return encoded;
  const readers = DOTENV_READERS.filter((one) => encodeDotenvValue(text, one) !== undefined);
  const remedies = [...readers.map((one) => `--for ${one}`), "--format json"].join(" or ");
  const whom = reader === undefined ? "so that all readers take it alike" : `for ${NAMES[reader]}`;
  throw formatError(`the value of ${name} cannot be written in .env ${whom}; use ${remedies}`);
}

/** What stands behind the `=` for a text so that the readers get it back; undefined when nothing does. */
type Encode = (text: string) => string | undefined;

const ENCODE: Readonly<Record<DotenvReader, Encode>> = {
  sh: (text) => `'${text.replaceAll("'", "'\\''")}'`,
  compose: (text) => inSingleQuotes(text) ?? `"${text.replace(/[\\"$]/g, "\\$&").replaceAll("\r", "\\r")}"`,
  dotenv(text) {
    if (mayBeReplaced(text)) return undefined;
    const inDouble = /["\\]/.test(text) ? undefined : `"${text.replaceAll("\r", "\\r")}"`;
    return inSingleQuotes(text) ?? inDouble ?? (isBare(text) ? text : undefined);
  },
};

/**
 * Texts that every reader takes unchanged between `"`: no escape, and nothing that a shell or compose would replace.
 */
const PLAIN = /^[^"\\$`\r]*$/;

/**
 * A text as the value of an assignment that `reader` reads back byte for byte, or without one, every reader; undefined
 * when there is none.
 */
export function encodeDotenvValue(text: string, reader?: DotenvReader): string | undefined {
  if (text.includes("\0")) return undefined;
  if (reader !== undefined) return ENCODE[reader](text);
  if (mayBeReplaced(text)) return undefined;
  return inSingleQuotes(text) ?? (PLAIN.test(text) ? `"${text}"` : undefined);
}

/**
 * The variable of a secret: its name where that is one, else the one that the SDK derives; undefined where that is none
 * either.
 */
export function variableOf(secret: string): string | undefined {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(secret)) return secret;
  const derived = new Secret({ key: secret }).asEnvVar ?? "";
  return /^[A-Z_][A-Z0-9_]*$/.test(derived) ? derived : undefined;
}

/** Nobody reads an escape between `'`, but for python-dotenv `\\`, and all `\'`. */
function inSingleQuotes(text: string): string | undefined {
  return /['\r]|\\\\|\\$/.test(text) ? undefined : `'${text}'`;
}

/** python-dotenv replaces `${NAME}`, whatever the quotes. */
function mayBeReplaced(text: string): boolean {
  const at = text.indexOf("${");
  return at !== -1 && text.includes("}", at);
}

/** Whether both `dotenv`s read a text back that stands there without quotes. */
function isBare(text: string): boolean {
  return !/[\r\n\u2028\u2029#]|^['"`]/.test(text) && !/^[\p{Cc}\p{Z}\ufeff]|[\p{Cc}\p{Z}\ufeff]$/u.test(text);
}
