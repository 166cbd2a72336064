import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { isExistingName, isObject, SecretsError } from "@flyte-secrets/core";
import {
  CreateSecretRequestSchema,
  DeleteSecretRequestSchema,
  GetSecretRequestSchema,
  ListSecretsRequestSchema,
  UpdateSecretRequestSchema,
} from "@flyte-secrets/idl";

/** Throws `invalid_argument` that names each field and rule that a request breaks. */
export type ValidateRequest = <Desc extends DescMessage>(schema: Desc, request: MessageShape<Desc>) => void;

/**
 * Makes a validator of requests by the rules in Flyte's IDL, except the rule that a value is set: the handlers check
 * that themselves, in Flyte's words and after other checks. The rule for names applies to secrets that are created
 * only: Flyte's own service does not enforce it, and secrets that it has written must be readable, changeable and
 * deletable. The rules are compiled here, because that takes 70 ms, which the first call would wait for.
 */
export function createValidateRequest(): ValidateRequest {
  const validator = createValidator();
  const validate: ValidateRequest = (schema, request) => {
    const result = validator.validate(schema, request);
    if (result.kind === "valid") return;
    if (result.kind === "error") throw result.error;
    const broken = result.violations
      .filter(({ field }) => field.at(-1)?.kind !== "oneof")
      .filter((violation) => isNew(schema) || !isOfExistingName(violation, request));
    if (broken.length > 0) throw new SecretsError("invalid_argument", broken.map(String).join("; "));
  };
  for (const schema of [CreateSecretRequestSchema, UpdateSecretRequestSchema]) {
    validate(schema, create(schema, { id: { name: "warm" }, secretSpec: {} }));
  }
  for (const schema of [GetSecretRequestSchema, DeleteSecretRequestSchema]) {
    validate(schema, create(schema, { id: { name: "warm" } }));
  }
  validate(ListSecretsRequestSchema, create(ListSecretsRequestSchema));
  return validate;
}

const isNew = (schema: DescMessage): boolean => schema.typeName === CreateSecretRequestSchema.typeName;

/** Whether a name breaks the IDL's pattern, and a secret may have it all the same. */
function isOfExistingName({ ruleId, field }: Violation, request: object): boolean {
  const last = field.at(-1);
  if (ruleId !== "string.pattern" || last?.kind !== "field" || last.name !== "name") return false;
  const id: unknown = "id" in request ? request.id : undefined;
  const name = isObject(id) ? id.name : undefined;
  return typeof name === "string" && isExistingName(name);
}
