import { excerpt, SecretsError } from "@flyte-secrets/core";

/** A file with placeholders, as the user names it. */
export interface Template {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** `{{ secret "NAME" }}`, or `{{ secret "NAME" | FORM }}`. */
export interface Placeholder {
  readonly kind: "secret";
  /** `KEY` or `GROUP/KEY`. */
  readonly name: string;
  /** As what the value stands in the result: itself, a JSON string with its quotes, or base64. */
  readonly form: "raw" | "json" | "base64";
  /** Where it begins, for {@link describePlace}. */
  readonly at: number;
}

/** Bytes stay as they are. */
export type TemplatePart = Placeholder | { readonly kind: "bytes"; readonly bytes: Uint8Array };

const MAX_PLACEHOLDERS = 1_000;

/**
 * Splits a template at its placeholders and at `{{ "{{" }}`, which stands for the braces themselves. Anything else that
 * begins with `{{` is `invalid_argument` with its place, so that no misspelt placeholder stays in a result.
 */
export function parseTemplate(template: Template): readonly TemplatePart[] {
  const { file, bytes } = template;
  if (isUtf16(bytes)) throw invalid(`${excerpt(file)} is in UTF-16, where placeholders are not found; use UTF-8`);
  // One character for each byte.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const pattern = /\{\{[ \t]*(?:("\{\{")|secret[ \t]+"([^"\r\n]+)"(?:[ \t]*\|[ \t]*(json|base64))?)[ \t]*\}\}/y;
  const parts: TemplatePart[] = [];
  let end = 0;
  for (let at = text.indexOf("{{"); at >= 0; at = text.indexOf("{{", end)) {
    pattern.lastIndex = at;
    const [, braces, name, form] = pattern.exec(text) ?? [];
    if (braces === undefined && name === undefined) throw invalid(`${describePlace(template, at)}: ${fault(text, at)}`);
    if (parts.length >= 2 * MAX_PLACEHOLDERS) {
      throw invalid(`${excerpt(file)} has more than ${MAX_PLACEHOLDERS} placeholders`);
    }
    parts.push({ kind: "bytes", bytes: bytes.subarray(end, at) });
    parts.push(name === undefined ? BRACES : { kind: "secret", name: toUtf8(name), form: toForm(form), at });
    end = pattern.lastIndex;
  }
  return [...parts, { kind: "bytes", bytes: bytes.subarray(end) }];
}

/** `FILE:LINE:COLUMN`, both from 1, columns in characters. */
export function describePlace({ file, bytes }: Template, at: number): string {
  const lines = new TextDecoder().decode(bytes.subarray(0, at)).split("\n");
  return `${excerpt(file)}:${lines.length}:${[...(lines.at(-1) ?? "")].length + 1}`;
}

const BRACES: TemplatePart = { kind: "bytes", bytes: Buffer.from("{{") };

/** As PowerShell's `>` writes it. */
function isUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
}

/** Without the text in the braces, which may be a value. */
function fault(text: string, at: number): string {
  const [line = ""] = text.slice(at).split("\n", 1);
  const problem = line.includes("}}") ? "{{ begins no placeholder" : "{{ has no }} on its line";
  return `${problem}: one is {{ secret "KEY" }}, and {{ "{{" }} stands for the braces`;
}

const toUtf8 = (latin1: string): string => Buffer.from(latin1, "latin1").toString();

const toForm = (form: string | undefined): Placeholder["form"] => (form === "json" || form === "base64" ? form : "raw");

const invalid = (problem: string): SecretsError => new SecretsError("invalid_argument", problem);
