import type { ErrorCode } from "@flyte-secrets/core";
import { loadPrometheus } from "@flyte-secrets/http";
import type { LookupMetrics, WatchHealth } from "@flyte-secrets/lookup";
import type { Registry } from "prom-client";
import { WEBHOOK_PATH } from "./admission/admission-review.ts";
import type { Admission } from "./admission/admit.ts";
import { type NamespaceNames, OTHER_NAMESPACE } from "./binding/bound-namespaces.ts";
import type { RefusedClaim } from "./binding/pod-claim.ts";
import type { RequestObserver } from "./endpoints/answer-requests.ts";

/** Counts what the webhook does. */
export interface WebhookMetrics {
  /** The HTTP requests. */
  readonly requests: RequestObserver;
  /** A pod of that namespace was admitted. */
  admitted(admission: Admission, namespace: string): void;
  /** A pod of that namespace was rejected. */
  rejected(code: ErrorCode, namespace: string): void;
  /** A pod claimed a scope that it may not claim. */
  claimRefused(refused: RefusedClaim): void;
}

/**
 * Registers the webhook's metrics (listed in docs/webhook.md): controller-runtime's under its names, which dashboards
 * for Flyte's webhook use, and our own. `nameOf` bounds the number of namespaces.
 */
export function createWebhookMetrics(
  registry: Registry,
  nameOf: NamespaceNames = () => OTHER_NAMESPACE,
): WebhookMetrics {
  const webhook = WEBHOOK_PATH;
  const { Counter, Gauge, Histogram } = loadPrometheus();
  const latency = new Histogram({
    name: "controller_runtime_webhook_latency_seconds",
    help: "Time from a request to its answer.",
    labelNames: ["webhook"],
    registers: [registry],
  });
  let inFlight = 0;
  new Gauge({
    name: "controller_runtime_webhook_requests_in_flight",
    help: "Requests that are being answered.",
    labelNames: ["webhook"],
    registers: [registry],
    collect() {
      this.set({ webhook }, inFlight);
    },
  });
  const requests = new Counter({
    name: "controller_runtime_webhook_requests_total",
    help: "Requests by HTTP status.",
    labelNames: ["webhook", "code"],
    registers: [registry],
  });
  const admissions = new Counter({
    name: "flyte_secrets_admissions_total",
    help: "Decisions by outcome: changed, unchanged, rejected; and by the pod's namespace.",
    labelNames: ["outcome", "pod_namespace"],
    registers: [registry],
  });
  const injections = new Counter({
    name: "flyte_secrets_injections_total",
    help:
      "Secrets given to pods, by secret manager, where it looks for them by the scope of the one it found, and by " +
      "the pod's namespace.",
    labelNames: ["manager", "scope", "pod_namespace"],
    registers: [registry],
  });
  const rejections = new Counter({
    name: "flyte_secrets_rejections_total",
    help: "Pods rejected, by error code (docs/errors.md).",
    labelNames: ["code"],
    registers: [registry],
  });
  const refusedClaims = new Counter({
    name: "flyte_secrets_refused_claims_total",
    help:
      "Pods that claimed a scope which they may not claim: rejected, or only warned with scopeBinding.mode warn; " +
      "by rule.",
    labelNames: ["outcome", "rule"],
    registers: [registry],
  });

  return {
    requests: {
      started() {
        inFlight++;
      },
      ended(status, durationMs) {
        inFlight--;
        if (status === undefined) return;
        requests.inc({ webhook, code: String(status) });
        latency.observe({ webhook }, durationMs / 1000);
      },
    },
    admitted({ answer, injections: injected }, namespace) {
      const pod_namespace = nameOf(namespace);
      admissions.inc({ outcome: "patch" in answer ? "changed" : "unchanged", pod_namespace });
      for (const { manager, level } of injected) injections.inc({ manager, scope: level ?? "", pod_namespace });
    },
    rejected(code, namespace) {
      admissions.inc({ outcome: "rejected", pod_namespace: nameOf(namespace) });
      rejections.inc({ code });
    },
    claimRefused({ warnOnly, refusal }) {
      refusedClaims.inc({ outcome: warnOnly ? "warned" : "rejected", rule: refusal.rule });
    },
  };
}

/** Registers the metrics of lookups. */
export function createLookupMetrics(registry: Registry): LookupMetrics {
  const { Counter, Histogram } = loadPrometheus();
  const answers = new Counter({
    name: "flyte_secrets_lookups_total",
    help: "Secrets looked up: from memory, or by asking the backend.",
    labelNames: ["from"],
    registers: [registry],
  });
  const fetches = new Counter({
    name: "flyte_secrets_fetches_total",
    help: "Ids that the backend was asked for, by outcome: ok, or an error code.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  const expired = new Counter({
    name: "flyte_secrets_expired_uses_total",
    help: "Values used past their expiry because the backend is down.",
    labelNames: ["reason"],
    registers: [registry],
  });
  const fetchDuration = new Histogram({
    name: "flyte_secrets_fetch_duration_seconds",
    help: "Time from asking the backend for an id to its answer.",
    registers: [registry],
  });
  return {
    answered: (from) => answers.inc({ from }),
    fetched(outcome, tookMs) {
      fetches.inc({ outcome });
      fetchDuration.observe(tookMs / 1000);
    },
    staleServed: () => expired.inc({ reason: "backend_down" }),
    watchOpened: (state) => addWatchHealth(registry, state),
  };
}

/** With several worker processes the worst state is reported. */
function addWatchHealth(registry: Registry, state: () => WatchHealth): void {
  const { Gauge } = loadPrometheus();
  new Gauge({
    name: "flyte_secrets_watch_silent_seconds",
    help: "Time since the API server last said something on the watch of the managed Secrets.",
    registers: [registry],
    aggregator: "max",
    collect() {
      this.set(state().silentMs / 1000);
    },
  });
  new Gauge({
    name: "flyte_secrets_watch_trusted",
    help: "1 while secrets are looked up in what that watch told, 0 while the API server is asked each time.",
    registers: [registry],
    aggregator: "min",
    collect() {
      this.set(state().isFresh ? 1 : 0);
    },
  });
}
