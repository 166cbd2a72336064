import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/** No request has more, and ones that do are taken for an attempt to fill the memory with what is then ignored. */
const MAX_DEPTH = 32;
const MAX_VALUES = 1_000;

/** Reads the bytes of a request's JSON; what Connect takes for a text decoder. */
export interface JsonDecoder {
  decode(bytes: Uint8Array): string;
}

/**
 * Gives a request's JSON as text, for Connect to parse, and refuses before that what parsing would let pass: bytes that are no UTF-8, which would
 * silently become other text; structures that take far more memory than their text; and names of no value in the enums of `schema`,
 * if one is given, which would be ignored like unknown fields.
 */
export function createJsonDecoder(schema?: DescMessage): JsonDecoder {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  return {
    decode(bytes) {
      const text = utf8.decode(bytes);
      checkSize(text);
      if (schema !== undefined) checkEnums(schema, parseIfJson(text));
      return text;
    },
  };
}

/** Counts what is nested and what stands beside each other, outside of strings. */
function checkSize(text: string): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case "{":
      case "[":
        depth += 1;
        values += 1;
        break;
      case "}":
      case "]":
        depth -= 1;
        break;
      case ",":
        values += 1;
    }
    if (depth > MAX_DEPTH) throw invalid(`the request's JSON is nested more than ${MAX_DEPTH} levels deep`);
    if (values > MAX_VALUES) throw invalid(`the request's JSON has more than ${MAX_VALUES} values`);
  }
}

/** The closing quote of the string that opens at `start`; the text's end where there is none. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let before = quote - 1;
    while (text[before] === "\\") before -= 1;
    // An even number of backslashes escapes each other.
    if ((quote - before) % 2 === 1) return quote;
  }
  return text.length;
}

/** Undefined for what is no JSON, which Connect will say. */
function parseIfJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkEnums(schema: DescMessage, json: JsonValue | undefined): void {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return;
  for (const field of schema.fields) {
    const value = json[field.jsonName] ?? json[field.name];
    if (field.fieldKind === "message") checkEnums(field.message, value);
    if (field.fieldKind !== "enum" || typeof value !== "string") continue;
    const names = field.enum.values.map(({ name }) => name);
    if (!names.includes(value)) throw invalid(`${field.name}: must be one of ${names.join(", ")} in JSON`);
  }
}

function invalid(message: string): ConnectError {
  return new ConnectError(message, Code.InvalidArgument);
}
