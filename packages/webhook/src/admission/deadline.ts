import { parseGoDuration } from "@flyte-secrets/core";

/** Longer than the API server ever waits. */
const MAX_TIMEOUT_MS = 30_000;
const MIN_TIMEOUT_MS = 100;

/** No API server sends a longer text as timeout. */
const MAX_TIMEOUT_LENGTH = 32;

/**
 * The signal that aborts when a request must be answered: a tenth of its timeout, and at most half a second, before the API server gives
 * up, so that the answer still reaches it. The timeout is the one in the request's address (`/mutate--v1-pod?timeout=10s`), or `defaultMs`.
 */
export function requestDeadline(url: string, defaultMs: number): AbortSignal {
  return AbortSignal.timeout(answerTimeMs(url, defaultMs));
}

/** How long after its arrival a request must be answered. */
export function answerTimeMs(url: string, defaultMs: number): number {
  const query = url.indexOf("?");
  const text = query < 0 ? "" : (new URLSearchParams(url.slice(query)).get("timeout") ?? "");
  const asked = text.length > MAX_TIMEOUT_LENGTH ? undefined : parseGoDuration(text);
  const timeoutMs = Math.min(Math.max(asked || defaultMs, MIN_TIMEOUT_MS), MAX_TIMEOUT_MS);
  return Math.ceil(timeoutMs - Math.min(timeoutMs / 10, 500));
}
