import { isSecretsError, SecretsError } from "@flyte-secrets/core";

/**
 * What `start` comes to, or an error as soon as `signal` is aborted: `deadline_exceeded` for a time limit, else `canceled`, or
 * the signal's own reason when that is one of ours. The work itself is not ended by that; pass it the signal too.
 */
export async function settleBefore<T>(signal: AbortSignal | undefined, start: () => Promise<T>): Promise<T> {
  if (signal === undefined) return await start();
  if (signal.aborted) throw toAbortError(signal);
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(toAbortError(signal));
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([start(), aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** What a call that ends because of `signal` is told. */
export function toAbortError({ reason }: AbortSignal): SecretsError {
  if (isSecretsError(reason)) return reason;
  return reason instanceof DOMException && reason.name === "TimeoutError"
    ? new SecretsError("deadline_exceeded", "The time limit passed before the secret manager answered.", {
        cause: reason,
      })
    : new SecretsError("canceled", "The caller gave up.", { cause: reason });
}
