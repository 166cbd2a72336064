import { loadPrometheus } from "@flyte-secrets/http";
import type { Registry } from "prom-client";
import type { DeliveredSecrets } from "./delivered-secrets.ts";
import type { WriteLimitSettings } from "./write-limits.ts";

/** Adds what is known of written Secrets to `registry`, and counts those that a limit refuses. */
export function createWriterMetrics(
  registry: Registry,
  written: readonly DeliveredSecrets[],
): { refused(setting: keyof WriteLimitSettings): void } {
  const { Counter, Gauge } = loadPrometheus();
  new Gauge({
    name: "flyte_secrets_written_secrets",
    help: "Secrets that were written for pods, by whether a pod was seen that names them.",
    labelNames: ["named"],
    registers: [registry],
    // Each worker process knows of all.
    aggregator: "max",
    collect() {
      let [secrets, unnamed] = [0, 0];
      for (const each of written) {
        const counts = each.countsOf();
        secrets += counts.secrets;
        unnamed += counts.unnamed;
      }
      this.set({ named: "true" }, secrets - unnamed);
      this.set({ named: "false" }, unnamed);
    },
  });
  const refused = new Counter({
    name: "flyte_secrets_written_secrets_refused_total",
    help: "Secrets that were not written since their namespace is over a limit, by setting of webhook.writtenSecrets.",
    labelNames: ["setting"],
    registers: [registry],
  });
  return { refused: (setting) => refused.inc({ setting }) };
}
