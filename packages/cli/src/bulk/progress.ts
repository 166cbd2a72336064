import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { formatCount } from "../render/counts.ts";

/** Fewer are over before anybody could read a line about them. */
const FEWEST = 100;
const REDRAW_MS = 100;
const CLEAR_LINE = "\r\u001b[K";

/** A progress line on a terminal. */
export interface Progress extends Disposable {
  show(done: number): void;
}

/**
 * Draws `Importing 3,412 of 10,000` on standard error, again in the same line as the work goes on, and nothing where
 * that is no terminal, or one that can't clear a line. The line goes when it is disposed of, once or twice.
 */
export function createProgress(doing: string, total: number, { env, stderr }: CliContext): Progress {
  const isShown = stderr.isTTY && env.TERM !== "dumb" && total >= FEWEST;
  let drawn = 0;
  return {
    show(done) {
      const now = performance.now();
      if (!isShown || (drawn !== 0 && now - drawn < REDRAW_MS)) return;
      drawn = now;
      stderr.raw.write(`${CLEAR_LINE}${doing} ${formatCount(done)} of ${formatCount(total)}`);
    },
    [Symbol.dispose]() {
      if (drawn !== 0) stderr.raw.write(CLEAR_LINE);
      drawn = 0;
    },
  };
}

/** Runs `run`; a SecretsError that it throws gets `what` before its message. */
export async function withErrorPrefix<T>(what: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    throw new SecretsError(error.code, `${what}: ${error.message}`, { cause: error });
  }
}
