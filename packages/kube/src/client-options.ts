import type { Clock } from "@flyte-secrets/core";
import type { ClusterConnection } from "./connection.ts";

export interface KubeClientOptions {
  readonly connection: ClusterConnection;
  /** Requests a second, and at once, before they queue. */
  readonly qps: number;
  readonly burst: number;
  /** Limit of one call with its waits and repetitions. A watch has none. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Hears of every request that was answered or failed: for metrics. */
  readonly observe?: (request: ObservedRequest) => void;
}

export interface ObservedRequest {
  readonly verb: string;
  readonly resource: string;
  /** 0 when there was no answer. */
  readonly status: number;
  /** For its turn under `qps`. */
  readonly waitedMs: number;
  readonly tookMs: number;
}
