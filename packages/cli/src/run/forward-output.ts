import type { Writable } from "node:stream";
import { createLineLabeler } from "./label-lines.ts";
import type { Mask } from "./mask/mask.ts";

/** How long output is waited for that a child's own children may still write after its end. */
export const LATE_OUTPUT_MS = 1_000;

/** Waits for every write, so that a slow reader of `to` slows the child down instead of filling the memory. */
export async function forward(
  from: AsyncIterable<Uint8Array> | null,
  to: Writable,
  { mask, label, maxHoldMs }: ForwardOptions,
): Promise<void> {
  const filter = mask?.filter();
  const labeler = label === undefined ? undefined : createLineLabeler(label);
  const write = (bytes: Uint8Array) => new Promise<void>((done) => to.write(bytes, () => done()));
  const writeLabeled = (bytes: Uint8Array) => write(labeler?.write(bytes) ?? bytes);
  let release: NodeJS.Timeout | undefined;
  for await (const chunk of from ?? []) {
    clearTimeout(release);
    await writeLabeled(filter?.write(chunk) ?? chunk);
    if (filter !== undefined && maxHoldMs !== undefined) {
      release = setTimeout(() => void writeLabeled(filter.end()), maxHoldMs);
    }
  }
  clearTimeout(release);
  if (filter !== undefined) await writeLabeled(filter.end());
  if (labeler !== undefined) await write(labeler.end());
}

interface ForwardOptions {
  readonly mask: Mask | undefined;
  /** Goes before each line of what is masked already. */
  readonly label?: string | undefined;
  /**
   * For how long what looks like the beginning of a value may be held back, in milliseconds. Default: until more comes.
   */
  readonly maxHoldMs?: number | undefined;
}
