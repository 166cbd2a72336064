import { appendFile } from "node:fs/promises";
import { ExportResultCode } from "@opentelemetry/core";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { SpanExporter } from "@opentelemetry/sdk-trace";

/** Adds spans to a file (made 0600), one batch a line, in OTLP's JSON: what the OpenTelemetry Collector reads from files. */
export function createTraceFileExporter(file: string): SpanExporter {
  return {
    export(spans, done) {
      const line = Buffer.from(JsonTraceSerializer.serializeRequest(spans) ?? []);
      appendFile(file, Buffer.concat([line, Buffer.from("\n")]), { mode: 0o600 }).then(
        () => done({ code: ExportResultCode.SUCCESS }),
        (error) => done({ code: ExportResultCode.FAILED, error }),
      );
    },
    shutdown: async () => {},
  };
}
