import { once } from "node:events";
import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { loadPrometheus } from "@flyte-secrets/http";
import { type RunningWebhook, startWebhook, type WebhookParts } from "../start-webhook.ts";
import type { WebhookOptions } from "../webhook-options.ts";
import type { FromWorker, ToWorker } from "./worker-message.ts";

/**
 * Runs the webhook as one of several processes on the same ports, started by `startWorkers`, until that process sends
 * `close`. Signals are ignored here, because a terminal sends them to that process too.
 */
export async function serveAsWorker(
  options: WebhookOptions,
  parts: Omit<WebhookParts, "registry" | "onInvalidate">,
): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
  const { AggregatorRegistry } = loadPrometheus();
  const { registry, receive } = createSharedRegistry();
  AggregatorRegistry.setRegistries([registry]);
  // Its constructor makes this process respond to requests for its metrics.
  new AggregatorRegistry();
  const closeRequested = Promise.withResolvers<void>();
  let webhook: RunningWebhook | undefined;
  // Before the start, because `close` may arrive during the start.
  process.on("message", (message: ToWorker) => {
    if (message.kind === "invalidate") webhook?.invalidate(message.id);
    if (message.kind === "ping") send({ kind: "alive" });
    if (message.kind === "metrics") receive(message);
    if (message.kind === "close") closeRequested.resolve();
  });
  try {
    webhook = await startWebhook(options, {
      ...parts,
      registry,
      onInvalidate: (id) => send({ kind: "invalidated", id }),
    });
    send({ kind: "serving", ports: webhook.ports });
    await closeRequested.promise;
    await webhook.close();
  } catch (error) {
    const { code, message } = isSecretsError(error) ? error : unknownFailure(error, parts);
    send({ kind: "failed", code, message });
    // The primary process reads the reason, and then ends this one.
    await once(process, "disconnect");
  }
  process.disconnect();
}

/** A registry that returns the metrics of all workers in each of them. */
function createSharedRegistry() {
  const waiting = new Map<number, PromiseWithResolvers<string>>();
  let nextNumber = 0;
  const registry = new (loadPrometheus().Registry)();
  registry.metrics = () => {
    const answer = Promise.withResolvers<string>();
    const number = nextNumber++;
    waiting.set(number, answer);
    send({ kind: "metricsWanted", number });
    return answer.promise;
  };
  const receive = ({ number, text }: Extract<ToWorker, { kind: "metrics" }>) => {
    const answer = waiting.get(number);
    waiting.delete(number);
    if (text === undefined) answer?.reject(new Error("the workers' metrics could not be collected"));
    else answer?.resolve(text);
  };
  return { registry, receive };
}

function unknownFailure(error: unknown, { log }: Pick<WebhookParts, "log">): SecretsError {
  log.error({ err: error }, "a worker could not start");
  return new SecretsError("internal", "a worker could not start; the log says why");
}

function send(message: FromWorker): void {
  process.send?.(message);
}
