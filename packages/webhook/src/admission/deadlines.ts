/** When requests that came at about the same time must have been answered. */
export interface Deadline {
  /** Aborts when the time is up. */
  readonly signal: AbortSignal;
  /** Called once when the time is up, unless removed before. */
  readonly listeners: Set<() => void>;
}

/** Hands out deadlines. */
export interface Deadlines {
  /** For a request that arrives `now` and that its sender gives up on after `timeoutMs`: comes before that. */
  after(timeoutMs: number, now: number): Deadline;
}

/** Longer than the API server ever waits. */
const MAX_TIMEOUT_MS = 30_000;
const MIN_TIMEOUT_MS = 100;

/**
 * Deadlines a tenth of the timeout, and at most half a second, before the sender gives up, so that the answer still
 * reaches it. Requests that come within a hundredth of their timeout share one, with its timer and signal: at many requests a
 * second one of each a request would cost more than reading the request does.
 */
export function createDeadlines(): Deadlines {
  const latest = new Map<number, { readonly deadline: Deadline; readonly until: number }>();
  return {
    after(timeoutMs, now) {
      const rounded = Math.min(Math.max(Math.floor(timeoutMs / 100) * 100, MIN_TIMEOUT_MS), MAX_TIMEOUT_MS);
      const shared = latest.get(rounded);
      if (shared !== undefined && now < shared.until) return shared.deadline;
      const deadline = startDeadline(rounded - Math.min(rounded / 10, 500));
      latest.set(rounded, { deadline, until: now + rounded / 100 });
      return deadline;
    },
  };
}

function startDeadline(ms: number): Deadline {
  const controller = new AbortController();
  const listeners = new Set<() => void>();
  const timer = setTimeout(() => {
    controller.abort();
    for (const listener of listeners) listener();
    listeners.clear();
  }, ms);
  // Whoever waits for the deadline has a connection open, which keeps the process alive.
  timer.unref();
  return { signal: controller.signal, listeners };
}
