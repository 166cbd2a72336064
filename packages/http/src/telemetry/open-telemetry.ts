import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { closeOnce, hasSystemCode, SecretsError } from "@flyte-secrets/core";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import {
  callWithTimeout,
  ExportResultCode,
  setGlobalErrorHandler,
  W3CTraceContextPropagator,
} from "@opentelemetry/core";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { OpenTracingOptions, Tracing } from "./spans.ts";

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

/** How each batch begins, or as much of it as a full disk has taken. */
const START = '{"resourceSpans"';

/**
 * Adds spans to a file (made 0600), one batch a line, in OTLP's JSON: what the OpenTelemetry Collector reads from
 * files. Flyte's default is in `/tmp`, where others can put something in its place first: only a file of this user's
 * own with no other name is written to, and none that holds anything else.
 */
function createTraceFileExporter(file: string): SpanExporter {
  return {
    export(spans, done) {
      const line = Buffer.from(JsonTraceSerializer.serializeRequest(spans) ?? []);
      appendToOwnFile(file, Buffer.concat([line, Buffer.from("\n")])).then(
        () => done({ code: ExportResultCode.SUCCESS }),
        (error) => done({ code: ExportResultCode.FAILED, error }),
      );
    },
    shutdown: async () => {},
  };
}

async function appendToOwnFile(file: string, bytes: Buffer): Promise<void> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Without O_NONBLOCK a pipe put in its place would keep the call waiting.
  const opened = open(file, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  await using handle = await opened.catch((error: unknown) => {
    throw hasSystemCode(error, "ELOOP") || hasSystemCode(error, "ENXIO") ? notOwn(file) : error;
  });
  const stats = await handle.stat();
  const isOwn = stats.isFile() && stats.nlink === 1 && stats.uid === (process.geteuid?.() ?? stats.uid);
  if (!isOwn) throw notOwn(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(START.length), 0, START.length, 0);
  if (!START.startsWith(buffer.toString("latin1", 0, bytesRead))) {
    const message = `otel.file.filename: ${file} holds something else than spans: name another file`;
    throw new SecretsError("invalid_argument", message);
  }
  await handle.appendFile(bytes);
}

function notOwn(file: string): SecretsError {
  const problem = `${file} is not a file of this user's own without links to it`;
  return new SecretsError("unsafe_permissions", `otel.file.filename: ${problem}: remove it, or name another`);
}
