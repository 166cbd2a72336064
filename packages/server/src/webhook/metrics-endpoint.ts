import type { RequestListener } from "node:http";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { reply } from "../rpc/reply.ts";

/** Serves `/metrics` in Prometheus' text format. */
export function createMetricsEndpoint(
  registry: Pick<Registry, "metrics" | "contentType">,
  log: Logger,
): RequestListener {
  return (req, res) => {
    if (req.url?.split("?", 1)[0] !== "/metrics") {
      reply({ req, res }, { status: 404, text: "there is /metrics here\n" });
      return;
    }
    registry.metrics().then(
      (text) => reply({ req, res }, { status: 200, text, headers: { "content-type": registry.contentType } }),
      (error: unknown) => {
        log.error({ err: error }, "metrics could not be collected");
        reply({ req, res }, { status: 500, text: "metrics could not be collected\n" });
      },
    );
  };
}
