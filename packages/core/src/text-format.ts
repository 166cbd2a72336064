import { SecretsError } from "./errors.ts";
import { excerpt, quote } from "./foreign-text.ts";
import { MountRequirement, type SecretRequest } from "./secret-request.ts";

// Sticky expressions match at the position of the scanner only. A word or number must not be followed by a character of
// END.
const END = "(?![-+.\\w])";
const SPACE = /(?:[ \n\r\t]|#[^\n]*(?:\n|$))*/y;
const WORD = new RegExp(`[A-Za-z_]\\w*${END}`, "y");
const INTEGER = new RegExp(`(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)${END}`, "y");
const STRING = /"(?:[^"\\\n\0]|\\.)*"|'(?:[^'\\\n\0]|\\.)*'/sy;
const MINUS = /-/y;
const COLON = /:/y;
const FIELD_SEPARATOR = /[,;]/y;

// The groups: one character; octal; hexadecimal; a code point, with the second half of a surrogate pair if one follows.
// Anything else is illegal.
const ESCAPE =
  /\\(?:([abfnrtv?'"\\])|([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))(?:\\u([dD][c-fC-F][0-9a-fA-F]{2}))?|.?)/gs;
const CONTROLS: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

const FIELDS: ReadonlyMap<string, keyof SecretRequest> = new Map([
  ["group", "group"],
  ["group_version", "groupVersion"],
  ["key", "key"],
  ["mount_requirement", "mountRequirement"],
  ["env_var", "envVar"],
]);

const MOUNT_REQUIREMENTS: ReadonlyMap<string, number> = new Map(Object.entries(MountRequirement));

type Draft = { -readonly [Field in keyof SecretRequest]: SecretRequest[Field] };

/**
 * Parses a request in any legal protobuf text format (https://protobuf.dev/reference/protobuf/textformat-spec/), by the
 * rules of Go's `prototext`, which Flyte uses. Throws `invalid_annotation` with line and column for anything else: an
 * unknown or repeated field, an unknown enum name, a string that is not UTF-8 (R-5).
 */
export function parseRequestText(text: string | Uint8Array): SecretRequest {
  const bytes = typeof text === "string" ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.length);
  return new RequestReader(bytes.toString("latin1")).read();
}

/** A scanner over text with one character for each byte, because escapes denote bytes. */
class RequestReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): SecretRequest {
    const request: Draft = { group: "", groupVersion: "", key: "", mountRequirement: MountRequirement.ANY, envVar: "" };
    const seen = new Set<string>();
    this.#take(SPACE);
    while (this.#position < this.#text.length) {
      this.#readField(request, seen);
      this.#take(SPACE);
      if (this.#take(FIELD_SEPARATOR) !== undefined) this.#take(SPACE);
    }
    return request;
  }

  #readField(request: Draft, seen: Set<string>): void {
    const start = this.#position;
    const name = this.#take(WORD);
    if (name === undefined) throw this.#error("a field name is expected here");
    const field = FIELDS.get(name);
    if (field === undefined) throw this.#error(`unknown field: ${excerpt(name)}`, start);
    this.#take(SPACE);
    if (this.#take(COLON) === undefined) throw this.#error("missing field separator :");
    if (seen.has(name)) throw this.#error(`non-repeated field ${quote(name)} is repeated`, start);
    seen.add(name);
    this.#take(SPACE);
    if (field === "mountRequirement") request.mountRequirement = this.#readMountRequirement();
    else request[field] = this.#readString(name);
  }

  /** Reads one or more adjacent string literals as one string. */
  #readString(field: string): string {
    const start = this.#position;
    let bytes = "";
    do {
      const literal = this.#take(STRING);
      if (literal === undefined) throw this.#error(`${field}: a closed string is expected here`);
      // Escapes may denote parts of a character; literal text must contain whole ones.
      if (decodeUtf8(literal) === undefined) throw this.#error(`${field} contains invalid UTF-8`, start);
      bytes += this.#unescape(literal.slice(1, -1), start);
      this.#take(SPACE);
    } while (this.#text[this.#position] === '"' || this.#text[this.#position] === "'");
    const value = decodeUtf8(bytes);
    if (value === undefined) throw this.#error(`${field} contains invalid UTF-8`, start);
    return value;
  }

  #unescape(body: string, start: number): string {
    return body.replace(ESCAPE, (sequence: string, ...groups: (string | undefined)[]) => {
      const bytes = unescapeSequence(groups);
      if (bytes === undefined) throw this.#error(`invalid escape ${JSON.stringify(sequence)} in string`, start);
      return bytes;
    });
  }

  /** Reads an enum by its name or by any 32-bit number. */
  #readMountRequirement(): number {
    const start = this.#position;
    const name = this.#take(WORD);
    if (name !== undefined) {
      const number = MOUNT_REQUIREMENTS.get(name);
      if (number !== undefined) return number;
      throw this.#error(`mount_requirement: unknown name ${excerpt(name)}`, start);
    }
    const sign = this.#take(MINUS) === undefined ? 1 : -1;
    if (sign === -1) this.#take(SPACE);
    const digits = this.#take(INTEGER);
    if (digits === undefined) throw this.#error("mount_requirement: a name or an integer is expected here", start);
    const octal = /^0[0-7]/.test(digits);
    const magnitude = octal ? Number.parseInt(digits, 8) : Number(digits);
    if (magnitude > (sign === 1 ? 0x7fff_ffff : 0x8000_0000)) {
      throw this.#error("mount_requirement: the number does not fit 32 bits", start);
    }
    return magnitude === 0 ? 0 : sign * magnitude;
  }

  /** Consumes and returns what the pattern matches at the position; undefined when it doesn't match. */
  #take(pattern: RegExp): string | undefined {
    const start = this.#position;
    pattern.lastIndex = start;
    if (!pattern.test(this.#text)) return undefined;
    this.#position = pattern.lastIndex;
    return this.#text.slice(start, this.#position);
  }

  #error(message: string, position = this.#position): SecretsError {
    const before = Buffer.from(this.#text.slice(0, position), "latin1").toString().split("\n");
    const column = [...(before.at(-1) ?? "")].length + 1;
    return new SecretsError("invalid_annotation", `(line ${before.length}:${column}): ${message}`);
  }
}

/** The bytes that one match of ESCAPE denotes; undefined when it is illegal. */
function unescapeSequence([simple, octal, hex, short, long, low]: (string | undefined)[]): string | undefined {
  if (simple !== undefined) return CONTROLS[simple] ?? simple;
  if (octal !== undefined) return toByte(Number.parseInt(octal, 8));
  if (hex !== undefined) return toByte(Number.parseInt(hex, 16));
  const code = Number.parseInt(short ?? long ?? "", 16);
  if (!(code <= 0x10ffff)) return undefined;
  // Both halves of a surrogate pair make one character; a lone half is not well-formed.
  const character =
    String.fromCodePoint(code) + (low === undefined ? "" : String.fromCharCode(Number.parseInt(low, 16)));
  return character.isWellFormed() ? Buffer.from(character).toString("latin1") : undefined;
}

function toByte(code: number): string | undefined {
  return code <= 0xff ? String.fromCharCode(code) : undefined;
}

/** Decodes a string of bytes as UTF-8; undefined when it is not UTF-8. */
function decodeUtf8(bytes: string): string | undefined {
  if (/^[\0-\x7f]*$/.test(bytes)) return bytes;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, "latin1"));
  } catch {
    return undefined;
  }
}

/**
 * Writes a request in protobuf text format as Flyte does: one set field a line, in field order. Throws
 * `invalid_argument` for a mount requirement without a name, and for a lone surrogate, which UTF-8 can't carry (R-4).
 */
export function encodeRequestText(request: SecretRequest): string {
  return (
    stringField("group", request.group) +
    stringField("group_version", request.groupVersion) +
    stringField("key", request.key) +
    mountRequirementField(request.mountRequirement) +
    stringField("env_var", request.envVar)
  );
}

function mountRequirementField(mountRequirement: number): string {
  const name = Object.entries(MountRequirement).find(([, number]) => number === mountRequirement)?.[0];
  if (name === undefined) {
    throw new SecretsError("invalid_argument", `invalid mount requirement [${mountRequirement}]`);
  }
  return mountRequirement === MountRequirement.ANY ? "" : `mount_requirement: ${name}\n`;
}

function stringField(name: string, value: string): string {
  if (value === "") return "";
  if (!value.isWellFormed()) {
    throw new SecretsError("invalid_argument", `${name}: must be Unicode text without lone surrogates`);
  }
  return `${name}: "${/^[ !#-[\]-~]*$/.test(value) ? value : escapeText(value)}"\n`;
}

function escapeText(value: string): string {
  let escaped = "";
  for (const byte of new TextEncoder().encode(value)) escaped += escapeByte(byte);
  return escaped;
}

function escapeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  switch (character) {
    case "\n":
      return "\\n";
    case "\r":
      return "\\r";
    case "\t":
      return "\\t";
    case '"':
    case "\\":
      return `\\${character}`;
    default:
      return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, "0")}` : character;
  }
}
