import { parseGoDuration } from "@flyte-secrets/core";

/** Longer than the API server ever waits. */
const MAX_TIMEOUT_MS = 30_000;
const MIN_TIMEOUT_MS = 100;

/** No API server sends a longer text as timeout. */
const MAX_TIMEOUT_LENGTH = 32;

/**
 * Gives each request, by its address, the signal that aborts when it must be answered: a tenth of its timeout, and at
 * most half a second, before the API server gives up, so that the answer still reaches it. The timeout is the one in
 * the address (`/mutate--v1-pod?timeout=10s`), or `defaultMs`. Requests with the same address that arrive within a
 * hundredth of their time share one signal: with one for each, an admission takes a fifth more CPU.
 */
export function createDeadlines(defaultMs: number): (url: string, now?: number) => AbortSignal {
  let latest: { readonly url: string; readonly until: number; readonly signal: AbortSignal } | undefined;
  return (url, now = performance.now()) => {
    if (latest?.url === url && now < latest.until) return latest.signal;
    const timeMs = answerTimeMs(url, defaultMs);
    latest = { url, until: now + timeMs / 100, signal: AbortSignal.timeout(timeMs) };
    return latest.signal;
  };
}

/** How long after its arrival a request must be answered. */
export function answerTimeMs(url: string, defaultMs: number): number {
  const query = url.indexOf("?");
  const text = query < 0 ? "" : (new URLSearchParams(url.slice(query)).get("timeout") ?? "");
  const asked = text.length > MAX_TIMEOUT_LENGTH ? undefined : parseGoDuration(text);
  const timeoutMs = Math.min(Math.max(asked || defaultMs, MIN_TIMEOUT_MS), MAX_TIMEOUT_MS);
  return Math.ceil(timeoutMs - Math.min(timeoutMs / 10, 500));
}
