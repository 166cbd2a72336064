import type { RequestListener } from "node:http";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { reply } from "../rpc/reply.ts";
import { replyMetrics } from "../telemetry/reply-metrics.ts";

/** Serves `/metrics` and nothing else. */
export function createMetricsEndpoint(
  registry: Pick<Registry, "metrics" | "contentType">,
  log: Logger,
): RequestListener {
  return (req, res) => {
    if (req.url?.split("?", 1)[0] === "/metrics") void replyMetrics({ req, res }, registry, log);
    else reply({ req, res }, { status: 404, text: "there is /metrics here\n" });
  };
}
