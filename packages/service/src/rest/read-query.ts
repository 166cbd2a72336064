import { type DescField, type DescMessage, type JsonObject, ScalarType } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/**
 * Reads a message from URL query parameters as the HTTP annotations of an IDL have it (google.api.http): names are
 * field paths such as `id.domain`, in proto or JSON spelling, map entries `field[KEY]`. Names of no field are ignored,
 * like unknown JSON fields. Gives the message in JSON. Throws `invalid_argument` for a value that the field can't have
 * and for one given twice.
 */
export function readQuery(schema: DescMessage, query: URLSearchParams): JsonObject {
  const message: JsonObject = {};
  for (const [name, text] of query) {
    const [, path = "", mapKey] = /^([^[]*)(?:\[(.*)\])?$/.exec(name) ?? [];
    setField({ schema, message, path: path.split("."), mapKey, text, name });
  }
  return message;
}

interface Assignment {
  readonly schema: DescMessage;
  readonly message: JsonObject;
  readonly path: readonly string[];
  readonly mapKey: string | undefined;
  readonly text: string;
  /** The whole parameter name, for errors. */
  readonly name: string;
}

function setField({ schema, message, path, mapKey, text, name }: Assignment): void {
  const [head, ...rest] = path;
  const field = schema.fields.find((field) => field.name === head || field.jsonName === head);
  if (field?.fieldKind === "message" && rest.length > 0) {
    setField({ schema: field.message, message: openObject(message, field), path: rest, mapKey, text, name });
  } else if (field?.fieldKind === "map" && rest.length === 0 && mapKey !== undefined) {
    openObject(message, field)[mapKey] = text;
  } else if (field?.fieldKind === "scalar" && rest.length === 0 && mapKey === undefined) {
    if (field.jsonName in message) throw invalid(name, "is given more than once");
    message[field.jsonName] = parseScalar(field.scalar, text, name);
  }
}

function openObject(message: JsonObject, field: DescField): JsonObject {
  const existing = message[field.jsonName];
  if (typeof existing === "object" && existing !== null && !Array.isArray(existing)) return existing;
  const opened: JsonObject = {};
  message[field.jsonName] = opened;
  return opened;
}

function parseScalar(type: ScalarType, text: string, name: string): string | number | boolean {
  switch (type) {
    case ScalarType.BOOL:
      if (text === "true" || text === "1") return true;
      if (text === "false" || text === "0" || text === "") return false;
      throw invalid(name, "must be true or false");
    case ScalarType.INT32: {
      const number = Number(text);
      if (/^-?\d+$/.test(text) && number === Math.trunc(number) && Math.abs(number) <= 0x7fffffff) return number;
      throw invalid(name, "must be a whole number of at most 32 bits");
    }
    default:
      return text;
  }
}

/** A Connect error, because this runs where Connect reads a body and takes any other error for one of the server. */
function invalid(name: string, rule: string): ConnectError {
  return new ConnectError(`${name}: ${rule}`, Code.InvalidArgument);
}
