import { Gauge, type Registry } from "prom-client";

export interface RequestMemory {
  readonly heldBytes: () => number;
  /** `webhook.limits.allBodiesBytes`. */
  readonly maxBytes: number;
}

/** Adds to `registry` what the admissions under way take up and may; of several workers both are added up. */
export function addRequestMemory(registry: Registry, { heldBytes, maxBytes }: RequestMemory): void {
  new Gauge({
    name: "flyte_secrets_requests_bytes",
    help: "What the admissions under way take up, as webhook.limits.allBodiesBytes counts it.",
    registers: [registry],
    collect() {
      this.set(heldBytes());
    },
  });
  new Gauge({
    name: "flyte_secrets_requests_limit_bytes",
    help: "webhook.limits.allBodiesBytes: over this, the admission that has taken up most for longest gives way.",
    registers: [registry],
  }).set(maxBytes);
}
