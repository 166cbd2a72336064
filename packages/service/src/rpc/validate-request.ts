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
 * Checks requests by the rules in Flyte's IDL, but for the rule that a value is set: the handlers say that themselves, in Flyte's
 * words and after other checks. Its rule for names is for secrets that are created: Flyte's service doesn't keep it,
 * and what it has written is to be read, changed and deleted too. The rules are compiled here, since the first call
 * would pay for it with 70 ms.
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
