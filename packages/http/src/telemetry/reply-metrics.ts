import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Exchange } from "../listener/node-handler.ts";
import { reply } from "../listener/reply.ts";

/** Answers with the metrics in Prometheus' text format. */
export async function replyMetrics(
  exchange: Exchange,
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
