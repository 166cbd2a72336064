import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { SecretIdentifierSchema, SecretService, SecretSpecSchema } from "@flyte-secrets/idl/published";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkRequestId } from "./request-rules.ts";

const validator = createValidator();
const { createSecret } = SecretService.method;

function violations<Desc extends DescMessage>(schema: Desc, request: MessageInitShape<Desc>): string {
  const result = validator.validate(schema, create(schema, request));
  if (result.kind === "error") throw result.error;
  return result.kind === "valid" ? "" : result.violations.map(String).join("; ");
}

function refusal(id: Parameters<typeof checkRequestId>[0], isNew: boolean): string {
  try {
    checkRequestId(id, { isNew });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const name = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[-\w.]{0,20}$/));
const identifier = fc.option(fc.record({ name, organization: name, domain: name, project: name }), { nil: undefined });
const secretSpec = { value: { case: "stringValue", value: "v" } } as const;

test("the id of a secret to create is refused where protovalidate refuses it, in its words", () => {
  fc.assert(
    fc.property(identifier, (init) => {
      const id = init && create(SecretIdentifierSchema, init);
      expect(refusal(id, true)).toBe(violations(createSecret.input, { ...(id && { id }), secretSpec }));
    }),
  );
});

test.each([
  ["a name that Flyte's service may have written", "my.key", ""],
  [
    "a name that no Secret can have",
    "a b",
    "id.name: does not match regex pattern `^[-a-zA-Z0-9_]+$` [string.pattern]",
  ],
])("of a secret that exists, %s is judged by what may exist", (_, text, message) => {
  expect(refusal(create(SecretIdentifierSchema, { name: text }), false)).toBe(message);
});

/** The fields and oneofs that carry options, which are those of protovalidate here. */
function ruled({ name: message, fields, oneofs }: DescMessage): string[] {
  return [...fields, ...oneofs].filter(({ proto }) => proto.options?.$unknown).map((each) => `${message}.${each.name}`);
}

test("Flyte's IDL declares no other rules than those that are checked", () => {
  const schemas = [...SecretService.methods.map(({ input }) => input), SecretIdentifierSchema, SecretSpecSchema];
  expect(schemas.flatMap(ruled)).toEqual([
    "CreateSecretRequest.id",
    "UpdateSecretRequest.id",
    "GetSecretRequest.id",
    "DeleteSecretRequest.id",
    "SecretIdentifier.name",
    // That a value is given, which the handlers check in the words of Flyte's service.
    "SecretSpec.value",
  ]);
});
