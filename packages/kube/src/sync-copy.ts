import { type Clock, isSecretsError, SecretsError } from "@flyte-secrets/core";
import { retryConflict } from "./retry-conflict.ts";

/** A copy of an object, and what it is a copy of. */
export interface CopySync<Copy, Source> {
  /** How errors call the copy. */
  readonly label: string;
  readonly readCopy: () => Promise<Copy | undefined>;
  readonly readSource: () => Promise<Source | undefined>;
  /**
   * Makes the copy like the source, or removes it where the source is gone, by writes that are refused unless the copy
   * is still as it was read. `changed`: it could not be done since something changed meanwhile.
   */
  readonly write: (copy: Copy | undefined, source: Source | undefined) => Promise<"synced" | "changed">;
}

/**
 * Makes a copy like its source. The copy is read first: a source that is read after it, and written over just that
 * state of it, is never older than what it replaces. So however many processes do this at once, the copy is like the
 * source when the last one is done. Starts again when somebody else writes in between, and throws `conflict` when that
 * goes on.
 */
export function syncCopy<Copy, Source>(
  { label, readCopy, readSource, write }: CopySync<Copy, Source>,
  context: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const changedMeanwhile = (cause?: unknown) =>
    new SecretsError("conflict", `${label} was changed or deleted meanwhile.`, { cause });
  return retryConflict(context, async () => {
    try {
      const copy = await readCopy();
      const source = await readSource();
      if ((await write(copy, source)) === "changed") throw changedMeanwhile();
    } catch (error) {
      // Somebody else made or deleted it between reading and writing.
      if (isSecretsError(error, "already_exists", "not_found")) throw changedMeanwhile(error);
      throw error;
    }
  });
}
