import type { Registry } from "prom-client";
import type { Endpoint } from "./endpoint.ts";
import { shareInFlight } from "./share-in-flight.ts";

/** Serves `/metrics`, in Prometheus' text format, and nothing else. */
export function createMetricsEndpoint(registry: Pick<Registry, "metrics" | "contentType">): Endpoint {
  const collect = shareInFlight(() => registry.metrics());
  return (req) => {
    if (req.url?.split("?", 1)[0] !== "/metrics") return { status: 404, text: "there is /metrics here\n" };
    return collect().then((text) => ({ status: 200, text, headers: { "content-type": registry.contentType } }));
  };
}
