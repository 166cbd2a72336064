import type { IncomingHttpHeaders } from "node:http";
import { closeOnce } from "@flyte-secrets/core";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { callWithTimeout, setGlobalErrorHandler, W3CTraceContextPropagator } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { createTraceFileExporter } from "./trace-file-exporter.ts";
import type { OpenTracingOptions, Tracing } from "./tracing.ts";

/** Time limit of one batch with its retries, and so of the last one. */
const SEND_LIMIT_MS = 5_000;

interface StartOptions extends OpenTracingOptions {
  readonly type: Exclude<OpenTracingOptions["config"]["type"], "noop">;
}

/** {@link Tracing} by OpenTelemetry's SDK. Spans are sent in batches, every 5 s at the latest. */
export async function startOpenTelemetry({ config, type, serviceName, log }: StartOptions): Promise<Tracing> {
  const { parentSampler, traceIdRatio } = config.sampler;
  // The library has one error handler for the whole process.
  setGlobalErrorHandler((error) => log.warn({ reason: describe(error) }, "traces could not be sent"));
  const root = parentSampler === "always" ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(traceIdRatio);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": serviceName }),
    sampler: new ParentBasedSampler({ root }),
    spanProcessors: [new BatchSpanProcessor({ exporter: await openExporter(config, type) })],
  });
  const tracer = provider.getTracer("flyte-secrets");
  const propagator = new W3CTraceContextPropagator();
  return {
    startSpan(name, headers) {
      const parent = propagator.extract(ROOT_CONTEXT, headers, HEADERS);
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER }, parent);
      return {
        end({ attributes, failed }) {
          for (const [key, value] of Object.entries(attributes)) {
            span.setAttribute(key, typeof value === "object" ? [...value] : value);
          }
          if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    close: closeOnce(() =>
      callWithTimeout(provider.shutdown(), SEND_LIMIT_MS).catch((error: unknown) =>
        log.warn({ reason: describe(error) }, "the last traces could not be sent"),
      ),
    ),
  };
}

const HEADERS = {
  get: (headers: IncomingHttpHeaders, name: string) => headers[name],
  keys: (headers: IncomingHttpHeaders) => Object.keys(headers),
};

/** Each is loaded only where it is configured. */
async function openExporter(config: StartOptions["config"], type: StartOptions["type"]): Promise<SpanExporter> {
  switch (type) {
    case "file":
      return createTraceFileExporter(config.file.filename);
    case "otlphttp": {
      const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-http");
      return new OTLPTraceExporter({ url: config.otlphttp.endpoint, timeoutMillis: SEND_LIMIT_MS });
    }
    case "otlpgrpc": {
      const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-grpc");
      return new OTLPTraceExporter({ url: config.otlpgrpc.endpoint, timeoutMillis: SEND_LIMIT_MS });
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
