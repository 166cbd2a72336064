import type { ErrorCode, SecretId } from "@flyte-secrets/core";
import type { RunningWebhook } from "../start-webhook.ts";

/** What a worker tells the process that started it. */
export type FromWorker =
  | { readonly kind: "serving"; readonly ports: RunningWebhook["ports"] }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string }
  /** To a ping. */
  | { readonly kind: "alive" }
  /** It was told that a secret has changed, and the others must know. */
  | { readonly kind: "invalidated"; readonly id: SecretId }
  /** Somebody asks it for metrics, which are those of all. */
  | { readonly kind: "metricsWanted"; readonly number: number };

/** What a worker is told. */
export type ToWorker =
  | { readonly kind: "invalidate"; readonly id: SecretId }
  /** Without a text when they could not be collected. */
  | { readonly kind: "metrics"; readonly number: number; readonly text?: string }
  /** To be answered, as a sign of life. */
  | { readonly kind: "ping" }
  | { readonly kind: "close" };
