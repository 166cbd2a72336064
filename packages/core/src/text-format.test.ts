import fc from "fast-check";
import { describe, expect, test } from "vitest";
import textFormat from "../../testkit/testdata/text-format.json" with { type: "json" };
import annotations from "../../testkit/testdata/vectors/annotations.json" with { type: "json" };
import { SecretsError } from "./errors.ts";
import { MountRequirement, type SecretRequest } from "./secret-request.ts";
import { encodeRequestText, parseRequestText } from "./text-format.ts";

const nothing: SecretRequest = {
  group: "",
  groupVersion: "",
  key: "",
  mountRequirement: MountRequirement.ANY,
  envVar: "",
};
const readable = textFormat.cases.filter(({ request }) => request !== null);
const illegal = textFormat.cases.filter(({ request }) => request === null);

describe("as Go reads it", () => {
  test.each(readable)("$about: $text is read", ({ text, request }) => {
    expect(parseRequestText(Buffer.from(text, "latin1"))).toEqual({ ...nothing, ...request });
  });

  test.each(illegal)("$about: $text is refused", ({ text }) => {
    expect(() => parseRequestText(Buffer.from(text, "latin1"))).toThrow(SecretsError);
  });
});

test.each(annotations.alsoReadable)("$text is read", ({ text, request: { mount_requirement = "ANY", ...strings } }) => {
  expect(MountRequirement).toHaveProperty(mount_requirement);
  const mountRequirement = Object.entries(MountRequirement).find(([name]) => name === mount_requirement)?.[1];
  expect(parseRequestText(text)).toEqual({
    ...nothing,
    group: strings.group ?? "",
    key: strings.key ?? "",
    envVar: strings.env_var ?? "",
    mountRequirement,
  });
});

const wellFormed = fc.string({ unit: "binary", maxLength: 30 });
const anyRequest: fc.Arbitrary<SecretRequest> = fc.record({
  group: wellFormed,
  groupVersion: wellFormed,
  key: wellFormed,
  mountRequirement: fc.constantFrom(0, 1, 2),
  envVar: wellFormed,
});

test("whatever is written is read again", () => {
  fc.assert(
    fc.property(anyRequest, (request) => {
      expect(parseRequestText(encodeRequestText(request))).toEqual(request);
    }),
  );
});

const space = fc.constantFrom("", " ", "\n", "\t\r\n", " # a comment: \"'\n");
const number = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });

/** One legal spelling of a byte inside double quotes; octal takes all its digits, so that a digit may follow. */
function spellByte(byte: number, choice: number): string {
  const spellings = [`\\${byte.toString(8).padStart(3, "0")}`, `\\x${byte.toString(16).padStart(2, "0")}`];
  if (byte < 0x80) {
    spellings.push(`\\u00${byte.toString(16).padStart(2, "0")}`, `\\U000000${byte.toString(16).padStart(2, "0")}`);
  }
  if (byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c) spellings.push(String.fromCharCode(byte));
  return spellings[choice % spellings.length] ?? "";
}

test("every legal spelling of a request is read as the same request", () => {
  const literal = fc
    .tuple(wellFormed, fc.infiniteStream(fc.nat()), fc.nat(), space)
    .map(([value, choices, cut, gap]) => {
      const pieces = [...new TextEncoder().encode(value)].map((byte) => spellByte(byte, choices.next().value));
      const at = cut % (pieces.length + 1);
      return { value, text: `"${pieces.slice(0, at).join("")}"${gap}"${pieces.slice(at).join("")}"` };
    });
  const field = fc.oneof(
    fc.record({ name: fc.constantFrom("group", "group_version", "key", "env_var"), of: literal }),
    fc.record({
      name: fc.constant("mount_requirement"),
      of: number.chain((value) => {
        const [sign, magnitude] = value < 0 ? ["-", -value] : ["", value];
        const spellings = [`${magnitude}`, `0x${magnitude.toString(16)}`, `0${magnitude.toString(8)}`];
        return fc.constantFrom(...spellings).map((digits) => ({ value, text: `${sign}${digits}` }));
      }),
    }),
  );
  const fields = fc.uniqueArray(field, { selector: ({ name }) => name, maxLength: 5 });
  const separator = fc.constantFrom("\n", " ", ";", ",", " ; ", ",\n");
  fc.assert(
    fc.property(fields, fc.infiniteStream(space), fc.infiniteStream(separator), (fields, spaces, separators) => {
      const gap = (): string => spaces.next().value;
      const text = fields
        .map(({ name, of }) => `${gap()}${name}${gap()}:${gap()}${of.text}${gap()}${separators.next().value}`)
        .join("");
      const value = (name: string, unset: string | number) =>
        fields.find((field) => field.name === name)?.of.value ?? unset;
      expect(parseRequestText(text)).toEqual({
        group: value("group", ""),
        groupVersion: value("group_version", ""),
        key: value("key", ""),
        mountRequirement: value("mount_requirement", 0),
        envVar: value("env_var", ""),
      });
    }),
  );
});

test("any bytes are either a request or refused with the one code", () => {
  const token = fc.constantFrom(
    "key",
    "group",
    "mount_requirement",
    ":",
    '"',
    "'",
    "\\",
    "u",
    "x",
    "0",
    "7",
    " ",
    ";",
    "#",
    "\n",
    "é",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.array(token).map((tokens) => tokens.join("")),
      ),
      (text) => {
        try {
          parseRequestText(text);
        } catch (error) {
          expect(error).toMatchObject({ name: "SecretsError", code: "invalid_annotation" });
        }
      },
    ),
  );
});

describe("an error", () => {
  test.each([
    ['key: "a"\n é: "b"', "(line 2:2): a field name is expected here"],
    ['key: "é" nope: "b"', "(line 1:10): unknown field: nope"],
    [`${"n".repeat(200)}: "b"`, `(line 1:1): unknown field: ${"n".repeat(120)}…`],
    ['key "a"', "(line 1:5): missing field separator :"],
    ['key: "a"\nkey: "b"', '(line 2:1): non-repeated field "key" is repeated'],
    ['key: "a', "(line 1:6): key: a closed string is expected here"],
    ["key: 5", "(line 1:6): key: a closed string is expected here"],
    ['key: "a\\q"', '(line 1:6): invalid escape "\\\\q" in string'],
    ['key: "\\400"', '(line 1:6): invalid escape "\\\\400" in string'],
    ['key: "a" "\\303"', "(line 1:6): key contains invalid UTF-8"],
    ["mount_requirement: NONE", "(line 1:20): mount_requirement: unknown name NONE"],
    ["mount_requirement: 1.5", "(line 1:20): mount_requirement: a name or an integer is expected here"],
    ["mount_requirement: 2147483648", "(line 1:20): mount_requirement: the number does not fit 32 bits"],
  ])("of %j says where and what", (text, message) => {
    expect(() => parseRequestText(text)).toThrow(new SecretsError("invalid_annotation", message));
  });
});

const numbers = new Map<string | undefined, number>(Object.entries(MountRequirement));

test.each(annotations.written)("$text is written as Flyte writes it", ({ request, text }) => {
  expect(
    encodeRequestText({
      group: request.group ?? "",
      groupVersion: request.group_version ?? "",
      key: request.key ?? "",
      mountRequirement: numbers.get(request.mount_requirement) ?? MountRequirement.ANY,
      envVar: request.env_var ?? "",
    }),
  ).toBe(text);
});

test("a request that sets nothing is the empty text", () => {
  expect(encodeRequestText(nothing)).toBe("");
});

test("control characters and all beyond ASCII are three octal digits a byte", () => {
  expect(encodeRequestText({ ...nothing, key: "\0\x1f ~\x7f'€" })).toBe('key: "\\000\\037 ~\\177\'\\342\\202\\254"\n');
});

test.each([7, -1, 0.5, Number.NaN])("mount requirement %d has no name and is refused", (mountRequirement) => {
  expect(() => encodeRequestText({ ...nothing, mountRequirement })).toThrow(
    new SecretsError("invalid_argument", `invalid mount requirement [${mountRequirement}]`),
  );
});

test("half a surrogate pair can't be written", () => {
  expect(() => encodeRequestText({ ...nothing, envVar: "A\ud83d" })).toThrow(
    new SecretsError("invalid_argument", "env_var: must be Unicode text without lone surrogates"),
  );
});
