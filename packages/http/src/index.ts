export type { Logger } from "pino";
export { measureJson } from "./body/measure-json.ts";
export { isLoopback, parseBindAddress } from "./listener/address.ts";
export type { ConnectionLimits } from "./listener/connection-table.ts";
export { guardHandler } from "./listener/handler.ts";
export {
  type ErrorReply,
  type HttpExchange,
  type NodeHandler,
  type NodeRequest,
  type NodeResponse,
  type Reply,
  reply,
  replyError,
} from "./listener/http-exchange.ts";
export type { TlsFiles } from "./listener/http1-server.ts";
export { type Listener, type ListenOptions, listen, listenHttp1 } from "./listener/listen.ts";
export type { ListenerLimits } from "./listener/listener-limits.ts";
export { addCertificateExpiry } from "./telemetry/certificate-expiry.ts";
export { createKubeMetrics, createStoreReadMetric } from "./telemetry/kube-metrics.ts";
export { loadPrometheus } from "./telemetry/lazy-libraries.ts";
export { createLogger, type LogDestination } from "./telemetry/logger.ts";
export { addBudgetMetrics, addProcessMetrics } from "./telemetry/process-metrics.ts";
export { replyMetrics } from "./telemetry/reply-metrics.ts";
export type { OpenTracingOptions, Span, SpanAttributes, Tracing } from "./telemetry/spans.ts";
export { openTracing } from "./telemetry/tracing.ts";
