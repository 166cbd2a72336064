import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { hasSystemCode, SecretsError } from "@flyte-secrets/core";
import { ExportResultCode } from "@opentelemetry/core";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { SpanExporter } from "@opentelemetry/sdk-trace";

/** How each batch begins, or as much of it as a full disk has taken. */
const START = '{"resourceSpans"';

/**
 * Adds spans to a file (made 0600), one batch a line, in OTLP's JSON: what the OpenTelemetry Collector reads from
 * files. Flyte's default is in `/tmp`, where others can put something in its place first: only a file of this user's
 * own with no other name is written to, and none that holds anything else.
 */
export function createTraceFileExporter(file: string): SpanExporter {
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
  const message = `otel.file.filename: ${file} is not a file of this user's own without links to it: remove it, or name another`;
  return new SecretsError("unsafe_permissions", message);
}
