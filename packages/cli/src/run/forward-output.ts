import type { Readable, Writable } from "node:stream";
import { createLineLabeler } from "./label-lines.ts";
import type { Mask } from "./mask/mask.ts";

/** How long output is waited for that a child's own children may still write after its end. */
export const LATE_OUTPUT_MS = 1_000;

/** Waits for every write, so that a slow reader of `to` slows the child down instead of filling the memory. */
export async function forward(from: Readable | null, to: Writable, { mask, label }: ForwardOptions): Promise<void> {
  const filter = mask?.filter();
  const labeler = label === undefined ? undefined : createLineLabeler(label);
  const write = (bytes: Uint8Array) => new Promise<void>((done) => to.write(bytes, () => done()));
  const writeLabeled = (bytes: Uint8Array) => write(labeler?.write(bytes) ?? bytes);
  for await (const chunk of from ?? []) await writeLabeled(filter?.write(chunk) ?? chunk);
  if (filter !== undefined) await writeLabeled(filter.end());
  if (labeler !== undefined) await write(labeler.end());
}

interface ForwardOptions {
  readonly mask: Mask | undefined;
  /** Goes before each line of what is masked already. */
  readonly label?: string | undefined;
}
