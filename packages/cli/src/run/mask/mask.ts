import type { SecretValue } from "@flyte-secrets/core";
import { type Form, follow, type Output, type Progress } from "./form.ts";
import { createFormIndex, type FormIndex } from "./form-index.ts";
import { createMaskedForms, MIN_BYTES } from "./masked-forms.ts";

/** What stands in the output where a value stood; one for each unbroken run, so that it tells no length. */
export const MASK = "***";

const MASK_BYTES = Buffer.from(MASK);

/** So much of a form is masked also where the rest of it doesn't follow: output is often cut, and Node shows 50 bytes of a Buffer. */
const ENOUGH_UNITS = 48;

/** Forms that are followed at one place. More of them overlap only in a value that repeats itself, which the first ones cover. */
const MAX_RUNS = 16;

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

/**
 * Masks one stream, however it is cut into chunks: the joined output is the same for every cutting. Bytes are held back only
 * while they equal the beginning of a form, 48 units of it at most. The time it takes grows with the output, not with the values.
 */
export interface MaskFilter {
  write(chunk: Uint8Array): Buffer;
  /** What was still held back. */
  end(): Buffer;
}

/** A mask without values. */
export function createMask(): Mask {
  const index = createFormIndex();
  const formsOf = createMaskedForms();
  const filter = (): MaskFilter => createFilter(index);
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

/** A form that was found, as far as the output goes. */
interface Run extends Progress {
  readonly form: Form;
}

function createFilter(index: FormIndex): MaskFilter {
  let held: Buffer = Buffer.alloc(0);
  /** Those that reach to the held bytes, or beyond; places count from the first held byte. */
  let runs: readonly Run[] = [];
  let masking = false;

  function advance(bytes: Buffer, final: boolean): Buffer {
    const output: Output = { bytes, final };
    const parts: Uint8Array[] = [];
    runs = runs.map((run) => (run.open ? { form: run.form, ...follow(run.form, run, output) } : run));
    let plainFrom = 0;
    let at = 0;
    for (; at < bytes.length; at++) {
      if (runs.length > 0) {
        // Whether what was found goes on here is not known yet.
        if (runs.some(({ open, reach }) => open && reach <= at)) break;
        runs = runs.filter(({ reach }) => reach > at);
      }
      const candidates = runs.length < MAX_RUNS ? index.candidatesAt(bytes, at) : [];
      if (candidates.length > 0) {
        const found = beginning(candidates, at, output);
        if (found === undefined) break;
        if (found.length > 0) runs = [...runs, ...found].slice(0, MAX_RUNS);
      }
      if (masking === runs.length > 0) continue;
      masking = !masking;
      if (masking) parts.push(bytes.subarray(plainFrom, at), MASK_BYTES);
      else plainFrom = at;
    }
    if (!masking) parts.push(bytes.subarray(plainFrom, at));
    held = bytes.subarray(at);
    runs = runs.map((run) => ({ ...run, reach: run.reach - at }));
    return Buffer.concat(parts);
  }
  return { write: (chunk) => advance(Buffer.concat([held, chunk]), false), end: () => advance(held, true) };
}

/** The forms that begin at `at`; undefined while it can't be said. */
function beginning(candidates: readonly Form[], at: number, output: Output): Run[] | undefined {
  const found: Run[] = [];
  for (const form of candidates) {
    const progress = follow(form, { units: 0, reach: at }, output);
    if (progress.units >= Math.min(form.units.length, ENOUGH_UNITS)) found.push({ form, ...progress });
    else if (progress.open) return undefined;
  }
  return found;
}
