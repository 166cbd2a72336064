import type { DescMessage } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { isObject } from "@flyte-secrets/core";
import { measureJson } from "@flyte-secrets/http";

/** No valid request has more; one that has may be an attempt to exhaust memory with ignored fields. */
const MAX_DEPTH = 32;
const MAX_VALUES = 1_000;

/** Decodes the bytes of a request's JSON, in the form of Connect's text decoder. */
export interface JsonDecoder {
  decode(bytes: Uint8Array): string;
}

/**
 * Makes the decoder of a request's JSON, which Connect then parses. It rejects what parsing would let pass: bytes that
 * are not UTF-8, which would silently become other text; structures that take far more memory than their text; and
 * unknown names of enum values of `schema`, if one is given, which would be ignored like unknown fields.
 */
export function createJsonDecoder(schema?: DescMessage): JsonDecoder {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const withEnums = schema !== undefined && hasEnum(schema) ? schema : undefined;
  return {
    decode(bytes) {
      const text = utf8.decode(bytes);
      checkSize(text);
      if (withEnums !== undefined) checkEnums(withEnums, parseIfJson(text));
      return text;
    },
  };
}

function checkSize(text: string): void {
  // A member is a value too, after whose name there is a colon.
  const { depth, values } = measureJson(text, { depth: MAX_DEPTH, parts: 2 * MAX_VALUES });
  if (depth > MAX_DEPTH) throw invalid(`the request's JSON is nested more than ${MAX_DEPTH} levels deep`);
  if (values > MAX_VALUES) throw invalid(`the request's JSON has more than ${MAX_VALUES} values`);
}

/** Undefined for text that is not JSON, which Connect will report. */
function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hasEnum({ fields }: DescMessage): boolean {
  return fields.some(
    (field) => field.fieldKind === "enum" || (field.fieldKind === "message" && hasEnum(field.message)),
  );
}

function checkEnums(schema: DescMessage, json: unknown): void {
  if (!isObject(json)) return;
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
