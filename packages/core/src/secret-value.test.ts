import { format, inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { SecretValue } from "./secret-value.ts";

const REDACTED = "[secret value]";

describe("a secret value", () => {
  const value = SecretValue.fromText("canary");

  test.each([
    ["template text", `${value}`],
    ["String", String(value)],
    ["concatenation", `${["", value].join("")}`],
    ["inspect", inspect(value)],
    ["inspect with hidden properties", inspect(value, { showHidden: true, getters: true })],
    ["format", format("%s", value)],
    ["format as an object", format("%o", value)],
  ])("does not show itself in %s", (_, shown) => {
    expect(shown).toBe(REDACTED);
  });

  test("does not show itself in JSON, keys or an error that carries it", () => {
    expect(JSON.stringify({ value })).toBe(`{"value":"${REDACTED}"}`);
    expect(Object.entries(value)).toEqual([]);
    expect(inspect(new Error("refused", { cause: value }))).not.toContain("canary");
  });

  test("keeps its own copy of the bytes", () => {
    const bytes = Uint8Array.of(1, 2);
    const copied = SecretValue.fromBytes(bytes);
    bytes[0] = 9;
    expect(copied.revealBytes()).toEqual(Uint8Array.of(1, 2));
  });

  test("knows text from bytes, and keeps a byte order mark", () => {
    expect(SecretValue.fromText("\ufeffé").revealText()).toBe("\ufeffé");
    expect(SecretValue.fromText("").revealText()).toBe("");
    expect(SecretValue.fromBytes(Uint8Array.of(0xff, 0xfe)).revealText()).toBeUndefined();
  });

  test("has its length in bytes and its padded base64", () => {
    const value = SecretValue.fromBytes(Uint8Array.of(0xff, 0xfe, 0x00, 0x01));
    expect(value.byteLength).toBe(4);
    expect(value.revealBase64()).toBe("//4AAQ==");
  });

  test("equals another of the same bytes", () => {
    expect(value.equals(SecretValue.fromBytes(Buffer.from("canary")))).toBe(true);
    expect(value.equals(SecretValue.fromText("canary "))).toBe(false);
  });
});
