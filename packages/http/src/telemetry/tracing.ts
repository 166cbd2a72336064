import { importOptional } from "@flyte-secrets/core";
import type { OpenTracingOptions, Tracing } from "./spans.ts";

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
 * Opens tracing as configured by `otel`; undefined for `noop`, the default, for which OpenTelemetry's SDK is not even
 * loaded. A collector that is unreachable fails no request: that is logged.
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
