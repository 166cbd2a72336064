import type { ErrorCode } from "@flyte-secrets/core";

/** Health of a lookup that a watch keeps in memory. */
export interface WatchHealth {
  /** Time since the API server last sent anything on the watch. */
  readonly silentMs: number;
  /** Whether lookups are answered from what the watch delivered. */
  readonly isFresh: boolean;
}

/** Receives the events of a lookup that are counted. */
export interface LookupMetrics {
  /** A lookup was answered: entirely from memory, or after a fetch. */
  answered(from: "memory" | "backend"): void;
  /** An answer past its expiry was used because the secret manager is down. */
  staleServed(): void;
  /** One id was fetched. */
  fetched(outcome: "ok" | ErrorCode, tookMs: number): void;
  /** A lookup over a watch was opened. `health` is called whenever metrics are collected. */
  watchOpened(health: () => WatchHealth): void;
}

/** Counts nothing. */
export const NO_METRICS: LookupMetrics = { answered() {}, staleServed() {}, fetched() {}, watchOpened() {} };
