import type { IncomingHttpHeaders } from "node:http";
import type { Logger } from "pino";

/** Attributes of a span: names and codes, never anything of a request's content. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A span that has begun. */
export interface Span {
  /** Must be called once. */
  end(result: { readonly attributes: SpanAttributes; readonly failed: boolean }): void;
}

/**
 * Traces the work of a server. There is no active span: a context that follows every promise would cost each
 * admission, and metrics and logs cover what happens inside.
 */
export interface Tracing {
  /** Starts the span of a request, in the trace of its W3C headers (https://www.w3.org/TR/trace-context/). */
  startSpan(name: string, headers: IncomingHttpHeaders): Span;
  /** Sends the spans that are left, within 5 s. Idempotent. */
  close(): Promise<void>;
}

/** Where spans go and which are kept: the section `otel` of the configuration. */
export interface TracingSettings {
  readonly type: "noop" | "file" | "otlpgrpc" | "otlphttp";
  readonly file: { readonly filename: string };
  readonly otlpgrpc: { readonly endpoint: string };
  readonly otlphttp: { readonly endpoint: string };
  readonly sampler: { readonly parentSampler: "always" | "traceid"; readonly traceIdRatio: number };
}

export interface OpenTracingOptions {
  readonly config: TracingSettings;
  /** The service name of the spans: `secret-service`, `executor`. */
  readonly serviceName: string;
  readonly log: Logger;
}
