import type { SecretValue } from "@flyte-secrets/core";
import { encodedForms, plainForm } from "./encoded-bytes.ts";
import { createEscapedForms } from "./escaped-text.ts";
import type { Form } from "./form.ts";

/** A form of fewer bytes would tear every output apart. */
export const MIN_BYTES = 4;

/**
 * Tells the ways in which a value shows up in output: as it is, without the white space around it, each of its lines; in the encodings
 * of bytes; and, for a text, in those of texts and with composed or decomposed characters (Unicode's NFC and NFD).
 */
export function createMaskedForms(): (value: SecretValue) => readonly Form[] {
  const escapedForms = createEscapedForms();
  return (value) => {
    const bytes = value.revealBytes();
    const text = value.revealText();
    if (text === undefined) return [plainForm(bytes), ...encodedForms(bytes)];
    const trimmed = text.trim();
    const wholes = distinct([trimmed, trimmed.normalize("NFC"), trimmed.normalize("NFD")]);
    const lines = text.split(/[\r\n]+/).map((line) => line.trim());
    return [
      ...distinct([text, ...wholes, ...lines]).map((part) => plainForm(Buffer.from(part))),
      ...distinct([text, trimmed]).flatMap((part) => encodedForms(Buffer.from(part))),
      ...wholes.flatMap(escapedForms),
    ];
  };
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].filter((text) => Buffer.byteLength(text) >= MIN_BYTES);
}
