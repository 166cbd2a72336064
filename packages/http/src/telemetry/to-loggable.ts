import { SecretValue, stackLines } from "@flyte-secrets/core";

const MAX_DEPTH = 6;

/**
 * What may stand in a log in place of a value: errors as name, code, message, frames and causes without their other fields (cloud
 * SDKs hang whole requests on theirs), bytes as their number, secret values as their placeholder. The value itself is not modified.
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
