export type { Logger } from "pino";
export { type BodyBudget, createBodyBudget, DEFAULT_BODY_BYTES } from "./body/body-budget.ts";
export { measureJson } from "./body/measure-json.ts";
export { parseBindAddress } from "./listener/bind-address.ts";
export { type ConnectionLimits, createConnectionTable, type TrackedConnection } from "./listener/connection-table.ts";
export { guardHandler } from "./listener/guard-handler.ts";
export { isLoopback } from "./listener/is-loopback.ts";
export { type Listener, type ListenOptions, listen, listenHttp1, type TlsFiles } from "./listener/listen.ts";
export { toListenFailure } from "./listener/listen-failure.ts";
export type { ListenerLimits } from "./listener/listener-limits.ts";
export type { Exchange, NodeHandler, NodeRequest } from "./listener/node-handler.ts";
export { type ErrorReply, type Reply, refuseCall, reply, replyError } from "./listener/reply.ts";
export { addBudget } from "./telemetry/add-budget.ts";
export { addCertificateExpiry } from "./telemetry/certificate-expiry.ts";
export { createLogger, type LogDestination } from "./telemetry/create-logger.ts";
export { createKubeMetrics } from "./telemetry/kube-metrics.ts";
export { loadPrometheus } from "./telemetry/lazy-libraries.ts";
export { addProcessMetrics } from "./telemetry/process-metrics.ts";
export { replyMetrics } from "./telemetry/reply-metrics.ts";
export {
  type OpenTracingOptions,
  openTracing,
  type SpanAttributes,
  type TracedWork,
  type Tracing,
} from "./telemetry/tracing.ts";
