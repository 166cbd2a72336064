import type { DestinationStream, Logger, LoggerOptions } from "pino";
import { formatLogText } from "./format-log-text.ts";
import { loadPino } from "./lazy-libraries.ts";
import { toLoggable } from "./to-loggable.ts";

/** Takes one line at a time; `isTTY` is that of a terminal's stream. */
export interface LogDestination {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

/** What is logged and how: the section `logger` of the configuration. */
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
 * The program's logger, as `logger` of the configuration has it: one entry a line, to standard error unless told otherwise.
 * Whatever is logged goes through {@link toLoggable}.
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
  const own = /[\\/]node_modules[\\/]pino[\\/]|[\\/]create-logger\.[jt]s/;
  return /([^\\/(]+:\d+):\d+\)?$/.exec(frames.find((frame) => !own.test(frame)) ?? "")?.[1];
}
