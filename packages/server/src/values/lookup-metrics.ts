import type { ErrorCode } from "@flyte-secrets/core";

/** Counts what a cached lookup does. */
export interface LookupMetrics {
  /** A question was answered: all from memory, or after a fetch. */
  answered(from: "memory" | "backend"): void;
  /** A value or a "not found" past its expiry was used, because the backend is down. */
  expiredUsed(): void;
  /** The backend was asked for one id. */
  fetched(outcome: "ok" | ErrorCode): void;
}

/** Counts nothing. */
export const NO_METRICS: LookupMetrics = { answered() {}, expiredUsed() {}, fetched() {} };
