import { Secret } from "@flyte-secrets/sdk";
import type { DotenvReader } from "./dotenv-readers.ts";

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

/** Texts that nobody changes between `"`: no escape, and nothing that a shell or compose would replace. */
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
