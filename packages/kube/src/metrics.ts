import { Counter, Histogram, type Registry } from "prom-client";
import type { ObservedRequest } from "./client-options.ts";

/** Counts and times what a client asks of the API server, and how long its own limit (`qps`, `burst`) held that back. */
export function createKubeMetrics(registry: Registry): (request: ObservedRequest) => void {
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
