import { type SecretScope, SecretsError, SecretValue, type StoredSecretType } from "@flyte-secrets/core";

/** For whom a `.env` file is written: shells, docker compose, or the `dotenv` of npm and python-dotenv. */
export const DOTENV_READERS = ["sh", "compose", "dotenv"] as const;
export type DotenvReader = (typeof DOTENV_READERS)[number];

/** One secret of an imported or exported file. */
export interface SecretEntry {
  readonly name: string;
  /** Its scope, where the file gives one. */
  readonly scope?: SecretScope;
  readonly type: StoredSecretType;
  /** Absent in a listing of names alone. */
  readonly value?: SecretValue;
}

/**
 * A file format that holds several secrets. Errors are `invalid_argument` and name the entry or line, never a value.
 */
export interface SecretFormat {
  /** As `--format` names it. */
  readonly name: string;
  /** How a file of this format is recognised by its name. */
  matches(fileName: string): boolean;
  /** Every entry has a value and its name stands once in its scope. */
  parse(text: string): SecretEntry[];
  /**
   * What `parse` reads as these entries; entries without value become something that `parse` refuses or skips. With a
   * reader (`env` alone) it is for that one, and `parse` may refuse it. With `scoped`, every entry has its scope, and
   * the file says it; a format that can't is `usage`.
   */
  print(entries: readonly SecretEntry[], options?: PrintOptions): string;
}

export interface PrintOptions {
  readonly reader?: DotenvReader | undefined;
  readonly scoped?: boolean;
}

export function formatError(message: string): SecretsError {
  return new SecretsError("invalid_argument", message);
}

/**
 * Returns a text as a value. Throws for an unpaired surrogate, which JSON and YAML can contain: it has no UTF-8 form.
 */
export function textValue(text: string, name: string): SecretValue {
  if (text.isWellFormed()) return SecretValue.fromText(text);
  throw formatError(`the value of ${name} is no well-formed Unicode; write its bytes in base64`);
}

/** `entries`, or an error that names the first that stands twice. */
export function assertUniqueEntries(entries: readonly SecretEntry[]): SecretEntry[] {
  const seen = new Set<string>();
  for (const { name, scope } of entries) {
    const id = JSON.stringify([scope?.domain, scope?.project, name]);
    if (seen.has(id)) throw formatError(`${name} stands twice in the file`);
    seen.add(id);
  }
  return [...entries];
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * The bytes of standard base64 with padding; line breaks are allowed. Anything else is an error that names the entry.
 */
export function decodeBase64(text: string, name: string): SecretValue {
  const compact = text.replace(/[\r\n]/g, "");
  if (!BASE64.test(compact)) throw formatError(`${name} is not base64`);
  return SecretValue.fromBytes(Buffer.from(compact, "base64"));
}
