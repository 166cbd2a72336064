import type { SecretValue } from "@flyte-secrets/core";

/** What stands in the output where a value stood; one for each unbroken run, so that it tells no length. */
export const MASK = "***";

const MIN_BYTES = 4;
const BLOCK_BYTES = 4096;
const MASK_BYTES = Buffer.from(MASK);

/** Keeps values out of output. Values may be added while output flows; they are masked from then on. */
export interface Mask {
  /**
   * Masks `value` from now on: as it is, trimmed, line by line, as inside JSON, URL-encoded, in base64 and in hex.
   * False when it is shorter than 4 bytes and therefore not masked: that would tear every output apart.
   */
  add(value: SecretValue): boolean;
  /** A filter for one stream of output. */
  filter(): MaskFilter;
  /** `text` with every value masked. */
  text(text: string): string;
}

/**
 * Masks one stream, however it is cut into chunks: the joined output is the same for every cutting. Bytes are held back only
 * while they equal the beginning of a value, at most 4 KiB of them.
 */
export interface MaskFilter {
  write(chunk: Uint8Array): Buffer;
  /** What was still held back. */
  end(): Buffer;
}

/** A mask without values. */
export function createMask(): Mask {
  const index = createIndex();
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

function createFilter(index: FormIndex): MaskFilter {
  let held: Buffer = Buffer.alloc(0);
  /** How many of the held bytes belong to a form that began before them. */
  let covered = 0;
  let masking = false;

  function advance(bytes: Buffer, final: boolean): Buffer {
    const parts: Uint8Array[] = [];
    let coveredTo = covered;
    let plainFrom = 0;
    let at = 0;
    for (; at < bytes.length; at++) {
      const { length, open } = index.lookAt(bytes, at);
      if (open && !final) break;
      coveredTo = Math.max(coveredTo, at + length);
      if (masking === at < coveredTo) continue;
      masking = !masking;
      if (masking) parts.push(bytes.subarray(plainFrom, at), MASK_BYTES);
      else plainFrom = at;
    }
    if (!masking) parts.push(bytes.subarray(plainFrom, at));
    held = bytes.subarray(at);
    covered = Math.max(0, coveredTo - at);
    return Buffer.concat(parts);
  }
  return { write: (chunk) => advance(Buffer.concat([held, chunk]), false), end: () => advance(held, true) };
}

interface Look {
  /** Length of the longest form that stands at this place, 0 for none. */
  readonly length: number;
  /** Whether the bytes end in the middle of a form that begins at this place. */
  readonly open: boolean;
}

const NOTHING: Look = { length: 0, open: false };

/** Everything that is masked, found by its first four bytes. */
interface FormIndex {
  add(form: Buffer): void;
  lookAt(bytes: Buffer, at: number): Look;
}

function createIndex(): FormIndex {
  const known = new Set<string>();
  const byHead = new Map<number, Buffer[]>();
  // Turns nearly every place away without a look into the map.
  const heads = new Uint8Array(1 << 16);
  const slot = (head: number): number => (head ^ (head >>> 16)) & 0xffff;
  return {
    add(form) {
      for (const block of cut(form)) {
        const name = block.toString("latin1");
        if (known.has(name)) continue;
        known.add(name);
        const head = block.readUInt32LE(0);
        heads[slot(head)] = 1;
        const sameHead = byHead.get(head);
        if (sameHead === undefined) byHead.set(head, [block]);
        else sameHead.push(block);
      }
    },
    lookAt(bytes, at) {
      const left = bytes.length - at;
      if (left >= MIN_BYTES && heads[slot(bytes.readUInt32LE(at))] === 0) return NOTHING;
      const candidates = left >= MIN_BYTES ? (byHead.get(bytes.readUInt32LE(at)) ?? []) : [...byHead.values()].flat();
      let length = 0;
      let open = false;
      for (const form of candidates) {
        const common = Math.min(left, form.length);
        if (form.compare(bytes, at, at + common, 0, common) !== 0) continue;
        if (common === form.length) length = Math.max(length, common);
        else open = true;
      }
      return { length, open };
    },
  };
}

/** The ways in which a value shows up in output. */
function formsOf(value: SecretValue): Buffer[] {
  const bytes = Buffer.from(value.revealBytes());
  const text = value.revealText();
  const forms = [bytes, ...encodingsOf(bytes)];
  if (text !== undefined) {
    const trimmed = text.trim();
    const lines = text.split(/[\r\n]+/).map((line) => line.trim());
    const written = [trimmed, JSON.stringify(trimmed).slice(1, -1), encodeURIComponent(trimmed), ...lines];
    forms.push(...encodingsOf(Buffer.from(trimmed)), ...written.map((form) => Buffer.from(form)));
  }
  return forms.filter((form) => form.length >= MIN_BYTES);
}

function encodingsOf(bytes: Buffer): Buffer[] {
  const base64 = bytes.toString("base64");
  // With and without the padding, of which one form is the beginning of the other.
  const forms = [base64, base64.replace(/=+$/, ""), bytes.toString("base64url"), bytes.toString("hex")];
  return forms.map((form) => Buffer.from(form));
}

/** Long forms are searched for block by block, which bounds what is held back; the last block reaches back to be whole. */
function cut(form: Buffer): Buffer[] {
  if (form.length <= BLOCK_BYTES) return [form];
  const count = Math.ceil(form.length / BLOCK_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const start = Math.min(index * BLOCK_BYTES, form.length - BLOCK_BYTES);
    return form.subarray(start, start + BLOCK_BYTES);
  });
}
