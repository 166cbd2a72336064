/**
 * What runs the pod webhook alone. An entry of its own, because the service with its RPC stack takes as long to load as the rest of
 * the webhook's start, and 40 MB.
 */
export { type RunWebhookOptions, runWebhook } from "./run-webhook.ts";
export { createLogger, type LogDestination } from "./telemetry/create-logger.ts";
export { serveAsWorker } from "./workers/serve-as-worker.ts";
export { type StartWorkersOptions, startWorkers } from "./workers/start-workers.ts";
