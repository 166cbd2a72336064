import type { Registry } from "prom-client";
import { loadPrometheus } from "./lazy-libraries.ts";

/** Bytes that requests under way may take up together. */
export interface Budget {
  /** What the two metrics' names begin with: `flyte_secrets_requests` makes `…_bytes` and `…_limit_bytes`. */
  readonly name: string;
  readonly heldBytes: () => number;
  readonly maxBytes: number;
  /** The setting that says how much that is. */
  readonly setting: string;
}

/** Adds to `registry` how much of a budget is used, and how much it is; of several workers both are added up. */
export function addBudget(registry: Registry, { name, heldBytes, maxBytes, setting }: Budget): void {
  const { Gauge } = loadPrometheus();
  new Gauge({
    name: `${name}_bytes`,
    help: `What the requests under way take up, as ${setting} counts it.`,
    registers: [registry],
    collect() {
      this.set(heldBytes());
    },
  });
  new Gauge({
    name: `${name}_limit_bytes`,
    help: `${setting}: over this, requests give way to each other.`,
    registers: [registry],
  }).set(maxBytes);
}
