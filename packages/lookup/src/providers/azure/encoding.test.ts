import { SecretsError, SecretValue } from "@flyte-secrets/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import vectors from "../../../../testkit/testdata/vectors/names.json" with { type: "json" };
import { decodeAzureName, decodeAzureValue, encodeAzureName, encodeAzureValue } from "./encoding.ts";

const [named, tooLong] = [
  vectors.identifiers.filter(({ azureName }) => azureName !== undefined),
  vectors.identifiers.filter(({ azureError }) => azureError !== undefined),
];

test.each(named)("$encodedId is $azureName, both ways and in any case", ({
  azureName = "",
  org,
  domain,
  project,
  name,
}) => {
  const id = { org, domain, project, name };
  expect(encodeAzureName(id)).toBe(azureName);
  expect(decodeAzureName(azureName)).toEqual(id);
  expect(decodeAzureName(azureName.toLowerCase())).toEqual(id);
});

test.each(tooLong)("$encodedId has no name", ({ azureError = "", org, domain, project, name }) => {
  expect(() => encodeAzureName({ org, domain, project, name })).toThrow(
    new SecretsError("invalid_argument", azureError),
  );
});

test("every name that is short enough decodes to its id", () => {
  const part = fc.stringMatching(/^[a-z0-9](?:[-01a-z]{0,6}[a-z0-9])?$/);
  const id = fc.record({ org: part, domain: part, project: part, name: fc.stringMatching(/^[-a-zA-Z0-9_]{1,20}$/) });
  fc.assert(
    fc.property(id, (id) => {
      const name = encodeAzureName(id);
      expect(name).toMatch(/^[0-9a-zA-Z-]{1,127}$/);
      expect(decodeAzureName(name)).toEqual(id);
    }),
  );
});

describe("a name of another form", () => {
  test.each([
    ["1-flyte-dev-MFYGS", "Azure secret name must have 5 parts separated by -"],
    ["1-flyte-dev-p-MFYGS-x", "Azure secret name must have 5 parts separated by -"],
    ["2-flyte-dev-p-MFYGS", "Azure secret name must be of version 1"],
    ["1-fly02te-dev-p-MFYGS", "Azure secret name: organization has an escape other than 00 and 01"],
    ["1-flyte-dev0-p-MFYGS", "Azure secret name: domain has an escape other than 00 and 01"],
    ["1-flyte-dev-0a-MFYGS", "Azure secret name: project has an escape other than 00 and 01"],
    ["1-flyte-dev-p-MFYG1", "Azure secret name: name is not base32 of UTF-8 text"],
    ["1-flyte-dev-p-M", "Azure secret name: name is not base32 of UTF-8 text"],
    ["1-flyte-dev-p-74", "Azure secret name: name is not base32 of UTF-8 text"],
  ])("%s is refused", (text, message) => {
    expect(() => decodeAzureName(text)).toThrow(new SecretsError("invalid_argument", message));
  });
});

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
