import type { ErrorCode, SecretId } from "@flyte-secrets/core";
import type { RunningWebhook } from "../start-webhook.ts";

/** Messages from a worker to the process that started it. */
export type FromWorker =
  | { readonly kind: "serving"; readonly ports: RunningWebhook["ports"] }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string }
  /** Answers a ping. */
  | { readonly kind: "alive" }
  /** Its invalidation endpoint was called: the other workers must forget the secret too. */
  | { readonly kind: "invalidated"; readonly id: SecretId }
  /** Its metrics endpoint was called, which shows the metrics of all workers. */
  | { readonly kind: "metricsWanted"; readonly number: number };

/** Messages to a worker. */
export type ToWorker =
  | { readonly kind: "invalidate"; readonly id: SecretId }
  /** Answers `metricsWanted`; without a text when the metrics could not be collected. */
  | { readonly kind: "metrics"; readonly number: number; readonly text?: string }
  /** Must be answered with `alive`. */
  | { readonly kind: "ping" }
  | { readonly kind: "close" };
