import type { ErrorCode } from "@flyte-secrets/core";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Admission } from "./admit.ts";
import { WEBHOOK_PATH } from "./webhook-path.ts";

/** Counts what the webhook does. */
export interface WebhookMetrics {
  requestStarted(): void;
  /** `started` is the `performance.now()` of the beginning. */
  requestEnded(status: number, started: number): void;
  /** A pod was let in. */
  admitted(admission: Admission): void;
  /** A pod was not let in. */
  rejected(code: ErrorCode): void;
}

/**
 * Adds the webhook's metrics to `registry`: controller-runtime's under its names, as dashboards for Flyte's webhook know them,
 * and our own (docs/webhook.md). Counters are plain numbers until somebody reads them: the registry's own cost more than a
 * microsecond each, which is felt at many admissions a second.
 */
export function createWebhookMetrics(registry: Registry): WebhookMetrics {
  const registers = [registry];
  const webhook = WEBHOOK_PATH;
  const latency = new Histogram({
    name: "controller_runtime_webhook_latency_seconds",
    help: "Time from a request to its answer.",
    labelNames: ["webhook"],
    registers,
  }).labels(webhook);

  let inFlight = 0;
  new Gauge({
    name: "controller_runtime_webhook_requests_in_flight",
    help: "Requests that are being answered.",
    labelNames: ["webhook"],
    registers,
    collect() {
      this.set({ webhook }, inFlight);
    },
  });
  const count = (name: string, help: string, labelNames: readonly string[]) => {
    const tally = createTally(labelNames);
    new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        for (const { labels, count } of tally.entries()) this.inc(labels, count);
      },
    });
    return tally.add;
  };
  const requests = count("controller_runtime_webhook_requests_total", "Requests by HTTP status.", ["webhook", "code"]);
  const admissions = count("flyte_secrets_admissions_total", "Pods by outcome: changed, unchanged, rejected.", [
    "outcome",
  ]);
  const injections = count(
    "flyte_secrets_injections_total",
    "Secrets injected, by secret manager and, with one that looks for it, by the scope where the secret was found.",
    ["manager", "scope"],
  );
  const rejections = count("flyte_secrets_rejections_total", "Pods rejected, by error code.", ["code"]);

  return {
    requestStarted() {
      inFlight++;
    },
    requestEnded(status, started) {
      inFlight--;
      requests(webhook, String(status));
      latency.observe((performance.now() - started) / 1000);
    },
    admitted({ answer, injections: injected }) {
      admissions("patchText" in answer ? "changed" : "unchanged", "");
      for (const { manager, level = "" } of injected) injections(manager, level);
    },
    rejected(code) {
      admissions("rejected", "");
      rejections(code, "");
    },
  };
}

/** Counts by the values of one or two labels. */
function createTally([first = "", second]: readonly string[]) {
  const counts = new Map<string, Map<string, number>>();
  return {
    add(a: string, b: string): void {
      let inner = counts.get(a);
      if (inner === undefined) {
        inner = new Map();
        counts.set(a, inner);
      }
      inner.set(b, (inner.get(b) ?? 0) + 1);
    },
    *entries() {
      for (const [a, inner] of counts) {
        for (const [b, count] of inner) yield { labels: { [first]: a, ...(second && { [second]: b }) }, count };
      }
    },
  };
}
