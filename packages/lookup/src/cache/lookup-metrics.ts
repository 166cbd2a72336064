import type { ErrorCode } from "@flyte-secrets/core";

/** What a watch is worth that keeps values in memory. */
export interface WatchState {
  /** Since the API server last said something on it. */
  readonly silentMs: number;
  /** Whether lookups rely on what it told. */
  readonly isFresh: boolean;
}

/** Counts what a cached lookup does. */
export interface LookupMetrics {
  /** A question was answered: all from memory, or after a fetch. */
  answered(from: "memory" | "backend"): void;
  /** A value or a "not found" past its expiry was used, because the backend is down. */
  expiredUsed(): void;
  /** The backend was asked for one id, which took so long. */
  fetched(outcome: "ok" | ErrorCode, tookMs: number): void;
  /** Once, by a lookup over a watch; the state is asked for whenever metrics are read. */
  watching(state: () => WatchState): void;
}

/** Counts nothing. */
export const NO_METRICS: LookupMetrics = { answered() {}, expiredUsed() {}, fetched() {}, watching() {} };
