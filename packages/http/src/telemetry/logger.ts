import { escapeControls, SecretValue, stackLines } from "@flyte-secrets/core";
import type { DestinationStream, Logger, LoggerOptions } from "pino";
import { loadPino } from "./lazy-libraries.ts";

/** Receives one line at a time; `isTTY` is that of a terminal's stream. */
export interface LogDestination {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

/** Level and format of the log: the section `logger` of the configuration. */
export interface LoggerSettings {
  readonly level: "panic" | "fatal" | "error" | "warn" | "info" | "debug";
  /** Adds the file and line that wrote an entry. */
  readonly "show-source": boolean;
  readonly mute: boolean;
  readonly formatter: { readonly type: "auto" | "json" | "text" | "gcp" };
}

/** Google Cloud's names of levels (https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logseverity). */
const SEVERITY: Readonly<Record<string, string>> = {
  fatal: "CRITICAL",
  error: "ERROR",
  warn: "WARNING",
  info: "INFO",
  debug: "DEBUG",
};

/**
 * Creates the program's logger as configured by `logger`: one entry a line, to standard error by default. Every logged
 * value goes through {@link toLoggable}.
 */
export function createLogger(config: LoggerSettings, destination: LogDestination = process.stderr): Logger {
  const { type } = config.formatter;
  const asText = type === "text" || (type === "auto" && destination.isTTY === true);
  const options: LoggerOptions = {
    // Nothing here is logged as a panic, so that level writes nothing.
    level: config.mute || config.level === "panic" ? "silent" : config.level,
    base: null,
    // Errors are described by formatters.log, under whichever key they come.
    serializers: { err: (value) => value },
    ...(config["show-source"] && { mixin: () => ({ source: findSource(new Error().stack ?? "") }) }),
    ...(type === "gcp" ? gcpEntry() : plainEntry()),
  };
  const stream: DestinationStream = {
    write: (line) => void destination.write(asText ? formatLogText(line) : line),
  };
  return loadPino().pino(options, stream);
}

function plainEntry(): LoggerOptions {
  return { timestamp: () => `,"time":"${new Date().toISOString()}"`, formatters: entryOf((level) => ({ level })) };
}

function gcpEntry(): LoggerOptions {
  return {
    messageKey: "message",
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: entryOf((level) => ({ severity: SEVERITY[level] })),
  };
}

function entryOf(level: (label: string) => object): NonNullable<LoggerOptions["formatters"]> {
  return {
    level,
    log: (entry) => Object.fromEntries(Object.entries(entry).map(([key, value]) => [key, toLoggable(value)])),
  };
}

/** File and line of the first frame that is neither pino's nor this file's. */
function findSource(stack: string): string | undefined {
  const frames = stack.split("\n").filter((line) => /^ {4}at /.test(line));
  const own = /[\\/]node_modules[\\/]pino[\\/]|telemetry[\\/]logger\.[jt]s/;
  return /([^\\/(]+:\d+):\d+\)?$/.exec(frames.find((frame) => !own.test(frame)) ?? "")?.[1];
}

/**
 * One log entry, as pino writes it in JSON, as a line for people: time, level, message, then `key=value`; safe for a
 * terminal.
 */
export function formatLogText(json: string): string {
  // Only this package's logger writes here: an object with these three members in every entry.
  const { level, time, msg, ...rest } = JSON.parse(json) as { level: string; time: string; msg?: string };
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${showField(value)}`);
  return `${escapeControls([time, level.toUpperCase().padEnd(5), msg, ...fields].filter((part) => part !== undefined).join(" "))}\n`;
}

function showField(value: unknown): string {
  return typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
}

const MAX_DEPTH = 6;

/**
 * Converts a value to what may be logged: errors to name, code, message, frames and causes without their other fields
 * (cloud SDKs attach whole requests), bytes to their number, secret values to their placeholder. The value itself is
 * not modified.
 */
export function toLoggable(value: unknown, depth = 0): unknown {
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (value instanceof SecretValue) return value.toString();
  if (depth >= MAX_DEPTH) return "[too deep]";
  if (value instanceof Error) return describeError(value, depth);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => toLoggable(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toLoggable(item, depth + 1)]));
}

function describeError(error: Error, depth: number): object {
  const code = "code" in error && ["string", "number"].includes(typeof error.code) ? error.code : undefined;
  const frames = stackLines(error);
  return {
    name: error.name,
    ...(code !== undefined && { code }),
    // A parser's message quotes what it could not parse, which may be a value.
    message:
      error instanceof SyntaxError || error.name.startsWith("YAML") ? "[withheld: it quotes its input]" : error.message,
    ...(frames.length > 0 && { stack: frames }),
    ...(error.cause !== undefined && { cause: toLoggable(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && { errors: toLoggable(error.errors, depth + 1) }),
  };
}
