/** An object as JSON has them: neither null nor an array. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is a {@link JsonObject}. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses a text that should be a JSON object; undefined for any other text. The parser's own error is dropped, since it
 * quotes the text, which may hold a secret value.
 */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
