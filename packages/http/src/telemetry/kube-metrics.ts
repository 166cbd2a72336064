import type { Registry } from "prom-client";
import { loadPrometheus } from "./lazy-libraries.ts";

/** A request to the API server that was answered or failed. */
export interface ObservedKubeRequest {
  readonly verb: string;
  /** 0 without an answer. */
  readonly status: number;
  /** Time that the client's own limit held it back. */
  readonly waitedMs: number;
  readonly tookMs: number;
}

/**
 * Adds a metric of the reads of the Kubernetes store, by whether memory or the API server answered them; the function
 * that counts one.
 */
export function createStoreReadMetric(registry: Registry): (from: "memory" | "backend") => void {
  const { Counter } = loadPrometheus();
  const reads = new Counter({
    name: "flyte_secrets_store_reads_total",
    help: "Secrets described and pages listed from memory, or from the API server (backend).",
    labelNames: ["from"],
    registers: [registry],
  });
  return (from) => reads.inc({ from });
}

/**
 * Adds metrics of the requests to the API server, and of how long the client's own limit (`qps`, `burst`) held them
 * back.
 */
export function createKubeMetrics(registry: Registry): (request: ObservedKubeRequest) => void {
  const { Counter, Histogram } = loadPrometheus();
  const registers = [registry];
  const requests = new Counter({
    name: "flyte_secrets_kube_requests_total",
    help: "Requests to the API server by verb and HTTP status; 0 where there was no answer.",
    labelNames: ["verb", "code"],
    registers,
  });
  const took = new Histogram({
    name: "flyte_secrets_kube_request_duration_seconds",
    help: "Time from sending a request to the beginning of its answer.",
    labelNames: ["verb"],
    registers,
  });
  const waited = new Histogram({
    name: "flyte_secrets_kube_request_wait_seconds",
    help: "Time that a request waited for its turn under qps and burst.",
    labelNames: ["verb"],
    registers,
  });
  return ({ verb, status, tookMs, waitedMs }) => {
    requests.inc({ verb, code: status });
    took.observe({ verb }, tookMs / 1000);
    waited.observe({ verb }, waitedMs / 1000);
  };
}
