import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeAzureValue, encodeAzureValue } from "./azure-value.ts";
import { SecretsError } from "./errors.ts";
import { SecretValue } from "./secret-value.ts";

test("text is kept readable and bytes in base64", () => {
  expect(encodeAzureValue(SecretValue.fromText('pass"word'))).toBe('{"type":"STRING","value":"pass\\"word"}');
  expect(encodeAzureValue(SecretValue.fromText(""))).toBe('{"type":"STRING","value":""}');
  expect(encodeAzureValue(SecretValue.fromBytes(Uint8Array.of(0xff, 0)))).toBe('{"type":"BINARY","value":"/wA="}');
});

test("any value comes back byte for byte", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeAzureValue(encodeAzureValue(SecretValue.fromBytes(bytes))).revealBytes()).toEqual(bytes);
    }),
  );
});

test.each([
  "canary",
  "null",
  "[]",
  '{"type":"STRING"}',
  '{"type":"STRING","value":1}',
  '{"type":"OTHER","value":"canary"}',
  '{"type":"BINARY","value":"canary"}',
])("%s is refused without being quoted", (text) => {
  const damaged = new SecretsError(
    "value_unreadable",
    'the Azure secret is not of the form {"type":"STRING"|"BINARY","value":"..."}: write it again with flyte-secrets',
  );
  expect(() => decodeAzureValue(text)).toThrow(damaged);
});
