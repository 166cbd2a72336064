import type { SecretValue } from "@flyte-secrets/core";
import { createFormIndex } from "./form-index.ts";
import { createMaskFilter, type MaskFilter } from "./mask-filter.ts";
import { createMaskedForms, MIN_BYTES } from "./masked-forms.ts";

/** Keeps values out of output. Values may be added while output flows; they are masked from then on. */
export interface Mask {
  /**
   * Masks `value` from now on, in all forms that {@link createMaskedForms} tells, and the first 48 bytes or characters of each where
   * the rest doesn't follow. False when it is shorter than 4 bytes and therefore not masked: that would tear every output apart.
   */
  add(value: SecretValue): boolean;
  /** A filter for one stream of output. */
  filter(): MaskFilter;
  /** `text` with every value masked. */
  text(text: string): string;
}

/** A mask without values. */
export function createMask(): Mask {
  const index = createFormIndex();
  const formsOf = createMaskedForms();
  const filter = (): MaskFilter => createMaskFilter(index);
  return {
    add(value) {
      if (value.byteLength < MIN_BYTES) return value.byteLength === 0;
      for (const form of formsOf(value)) index.add(form);
      return true;
    },
    filter,
    text(text) {
      const one = filter();
      return Buffer.concat([one.write(Buffer.from(text)), one.end()]).toString();
    },
  };
}
