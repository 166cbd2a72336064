import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingHttpHeaders } from "node:http";
import type { SpanAttributes, Tracing } from "@flyte-secrets/http";
import type { LookupMetrics } from "@flyte-secrets/lookup";
import type { Admission } from "./admit.ts";
import type { Rejection } from "./to-rejection.ts";

/** An admission with an open span. Call `admitted` or `rejected` once: it ends the span. */
export interface TracedAdmission {
  /** Runs the decision, and relates its lookups to this admission. */
  decide<T>(run: () => T): T;
  admitted(admission: Admission): void;
  rejected(rejection: Rejection): void;
}

/** Gives each admission a span, with an attribute for whether all its lookups were answered from memory. */
export interface AdmissionTracing {
  begin(headers: IncomingHttpHeaders): TracedAdmission;
  /** Wraps the metrics of lookups; use the result in place of `metrics`. */
  listen(metrics: LookupMetrics): LookupMetrics;
}

/** `provider` is the value of `webhook.embeddedSecretManagerConfig.type`, an attribute of the spans. */
export function createAdmissionTracing(tracing: Tracing, provider: string): AdmissionTracing {
  const current = new AsyncLocalStorage<{ isFromMemory?: boolean }>();
  return {
    begin(headers) {
      const span = tracing.startSpan("admission", headers);
      const lookups: { isFromMemory?: boolean } = {};
      const end = (attributes: SpanAttributes, failed = false) => {
        const { isFromMemory } = lookups;
        const asked = isFromMemory !== undefined && {
          "flyte.secrets.provider": provider,
          "flyte.secrets.cache_hit": isFromMemory,
        };
        span.end({ attributes: { ...attributes, ...asked }, failed });
      };
      return {
        decide: (run) => current.run(lookups, run),
        admitted({ answer, injections }) {
          end({
            "flyte.secrets.outcome": "patch" in answer ? "changed" : "unchanged",
            "flyte.secrets.injectors": [...new Set(injections.map(({ manager }) => manager))],
          });
        },
        rejected({ code, answer }) {
          end({ "flyte.secrets.outcome": "rejected", "flyte.secrets.code": code }, answer.code >= 500);
        },
      };
    },
    listen: (metrics) => ({
      ...metrics,
      answered(from) {
        metrics.answered(from);
        const lookups = current.getStore();
        if (lookups) lookups.isFromMemory = lookups.isFromMemory !== false && from === "memory";
      },
    }),
  };
}
