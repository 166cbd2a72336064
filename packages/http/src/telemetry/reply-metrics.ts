import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { type HttpExchange, reply } from "../listener/http-exchange.ts";

/** Responds with the metrics in Prometheus' text format. */
export async function replyMetrics(
  exchange: HttpExchange,
  registry: Pick<Registry, "metrics" | "contentType">,
  log: Logger,
): Promise<void> {
  try {
    const text = await registry.metrics();
    reply(exchange, { status: 200, text, headers: { "content-type": registry.contentType } });
  } catch (error) {
    log.error({ err: error }, "metrics could not be collected");
    reply(exchange, { status: 500, text: "metrics could not be collected\n" });
  }
}
