import { type Form, HEAD_BYTES, headsOf } from "./form.ts";

/** Forms by the four bytes that they begin with, so that nearly every place of an output is turned away by one look. */
export interface FormIndex {
  add(form: Form): void;
  /** Those that may begin at `at`. */
  candidatesAt(bytes: Buffer, at: number): readonly Form[];
}

const NONE: readonly Form[] = [];

export function createFormIndex(): FormIndex {
  const byHead = new Map<number, Form[]>();
  const byFirst = new Map<number, Form[]>();
  const heads = new Uint8Array(1 << 16);
  const slotOf = (head: number) => (head ^ (head >>> 16)) & 0xffff;
  const put = (forms: Map<number, Form[]>, key: number, form: Form) => {
    const present = forms.get(key);
    if (present === undefined) forms.set(key, [form]);
    else present.push(form);
  };
  return {
    add(form) {
      const own = headsOf(form);
      for (const head of own) {
        heads[slotOf(head)] = 1;
        put(byHead, head, form);
      }
      for (const first of new Set([...own].map((head) => head & 255))) put(byFirst, first, form);
    },
    candidatesAt(bytes, at) {
      if (at + HEAD_BYTES > bytes.length) return byFirst.get(bytes[at] ?? 0) ?? NONE;
      const head = bytes.readUInt32LE(at);
      return heads[slotOf(head)] === 0 ? NONE : (byHead.get(head) ?? NONE);
    },
  };
}
