import type { IncomingHttpHeaders } from "node:http";
import { importOptional } from "@flyte-secrets/core";
import type { Logger } from "pino";

/** What a span says; names and codes, never anything of a request's content. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A piece of work that is traced. */
export interface TracedWork {
  /** To be called once. */
  end(result: { readonly attributes: SpanAttributes; readonly failed: boolean }): void;
}

/**
 * Traces the work of a server. There is no active span: a context that follows every promise would cost each
 * admission, and metrics and logs cover what happens inside.
 */
export interface Tracing {
  /** Begins a span for a request, as part of the trace that its W3C headers name (https://www.w3.org/TR/trace-context/). */
  begin(name: string, headers: IncomingHttpHeaders): TracedWork;
  /** Sends what is not sent yet, 5 s at the most. Idempotent. */
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
  /** As whom the spans are sent: `secret-service`, `executor`. */
  readonly serviceName: string;
  readonly log: Logger;
}

/** OpenTelemetry, as npm installs it. */
const OPEN_TELEMETRY = [
  "@opentelemetry/api@1",
  "@opentelemetry/core@3",
  "@opentelemetry/resources@3",
  "@opentelemetry/sdk-trace@3",
  "@opentelemetry/otlp-transformer@0.301",
  "@opentelemetry/exporter-trace-otlp-http@0.301",
  "@opentelemetry/exporter-trace-otlp-grpc@0.301",
];

/**
 * Tracing as `otel` has it; undefined where that is `noop`, which is the default: OpenTelemetry's SDK is then not even loaded. An
 * exporter whose collector is away fails no request: that is logged. Throws `invalid_config` when OpenTelemetry is not installed.
 */
export async function openTracing(options: OpenTracingOptions): Promise<Tracing | undefined> {
  const { type } = options.config;
  if (type === "noop") return undefined;
  const start = async () => {
    const { startOpenTelemetry } = await import("./open-telemetry.ts");
    return startOpenTelemetry({ ...options, type });
  };
  return importOptional(start, { neededBy: `otel.type ${type}`, packages: OPEN_TELEMETRY });
}
