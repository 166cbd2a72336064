import { excerpt, type SecretValue } from "@flyte-secrets/core";
import { OUTPUT_MASK } from "./covered-output.ts";
import { encodedForms, plainForm } from "./encoded-bytes.ts";
import { createEscapedForms } from "./escaped-text.ts";
import type { Form } from "./form.ts";
import { createFormIndex } from "./form-index.ts";
import { createMaskFilter, type MaskFilter } from "./mask-filter.ts";

/** Keeps values out of output. Values may be added while output flows; they are masked from then on. */
export interface Mask {
  /**
   * Masks `value` from now on, in all forms of {@link createMaskedForms}, and the first 48 bytes or characters of each
   * form if the rest does not follow. False for a value of less than 4 bytes, which is not masked because it would
   * occur everywhere. Of equal values, and of those that begin alike for 48 bytes or characters, the name of the first
   * one added is shown.
   */
  add(value: SecretValue, name?: string): boolean;
  /** A filter for one stream of output. */
  filter(): MaskFilter;
  /** `text` with every value masked. */
  text(text: string): string;
}

export interface MaskOptions {
  /** Whether `<secret NAME>` stands in place of a value whose name is known. Default: `***` does, whatever its name. */
  readonly showNames?: boolean;
}

/** A mask without values (T-16). */
export function createMask({ showNames = false }: MaskOptions = {}): Mask {
  const index = createFormIndex();
  let rank = 0;
  const formsOf = createMaskedForms();
  const filter = (): MaskFilter => createMaskFilter(index);
  return {
    add(value, name) {
      if (value.byteLength < MIN_BYTES) return value.byteLength === 0;
      const isNamed = showNames && name !== undefined;
      const by = { text: isNamed ? `<secret ${excerpt(name)}>` : OUTPUT_MASK, rank };
      rank += 1;
      for (const form of formsOf(value)) index.add(form, by);
      return true;
    },
    filter,
    text(text) {
      const one = filter();
      return Buffer.concat([one.write(Buffer.from(text)), one.end()]).toString();
    },
  };
}

/** A form of fewer bytes would tear every output apart. */
export const MIN_BYTES = 4;

/** Texts of a value in JSON that are masked alone: above it, it is data rather than a handful of credentials. */
const MAX_MEMBERS = 256;

/**
 * Tells the ways in which a value shows up in output: as it is, without the white space around it, each of its lines;
 * in the encodings of bytes; and, for a text, in those of texts and with composed or decomposed characters (Unicode's
 * NFC and NFD). Of a value that is a JSON object or array, the first 256 texts in it likewise.
 */
export function createMaskedForms(): (value: SecretValue) => readonly Form[] {
  const escapedForms = createEscapedForms();

  function formsOf(text: string): readonly Form[] {
    const trimmed = text.trim();
    const wholes = distinct([trimmed, trimmed.normalize("NFC"), trimmed.normalize("NFD")]);
    const lines = text.split(/[\r\n]+/).map((line) => line.trim());
    return [
      ...distinct([text, ...wholes, ...lines]).map((part) => plainForm(Buffer.from(part))),
      ...distinct([text, trimmed]).flatMap((part) => encodedForms(Buffer.from(part))),
      ...wholes.flatMap(escapedForms),
    ];
  }

  return (value) => {
    const text = value.revealText();
    if (text === undefined) {
      const bytes = value.revealBytes();
      return [plainForm(bytes), ...encodedForms(bytes)];
    }
    return [text, ...distinct(textsInJson(text))].flatMap(formsOf);
  };
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].filter((text) => Buffer.byteLength(text) >= MIN_BYTES);
}

/** The texts in an object or array in JSON, outer ones first; not the keys. None for any other text. */
function textsInJson(text: string): readonly string[] {
  if (!/^\s*[[{]/.test(text)) return [];
  const texts: string[] = [];
  try {
    // Grows while it is gone through.
    const values: unknown[] = [JSON.parse(text)];
    for (const value of values) {
      if (texts.length === MAX_MEMBERS) break;
      if (typeof value === "string") texts.push(value);
      else if (typeof value === "object" && value !== null)
        for (const member of Object.values(value)) values.push(member);
    }
  } catch {
    return [];
  }
  return texts;
}
