import { systemClock } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import { type LookupOptions, type LookupParts, NO_METRICS } from "@flyte-secrets/lookup";

/** The cache of the webhook's defaults. */
export const CACHE: LookupOptions["cache"] = {
  ttlMs: 86_400_000,
  negativeTtlMs: 30_000,
  staleMs: 3_600_000,
  maxBytes: 100_000_000,
  timeoutMs: 8_000,
  maxFetches: 20_000,
};

const none = () => Promise.reject(new Error("this source needs neither a store nor a cluster"));

/** What a lookup is built on, with a log that nobody reads. */
export const PARTS: LookupParts = {
  openStore: none,
  openKube: none,
  clock: systemClock,
  log: createLogger({ level: "fatal", mute: true, "show-source": false, formatter: { type: "json" } }),
  metrics: NO_METRICS,
};
