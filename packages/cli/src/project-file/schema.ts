/**
 * The part of JSON Schema that the project file is described in. `patternErrorMessage` is what editors show for a text
 * that doesn't match; here it is the end of a sentence that begins with the key.
 */
export type Schema =
  | {
      readonly type: "object";
      readonly description?: string;
      readonly properties?: Readonly<Record<string, Schema>>;
      readonly required?: readonly string[];
      /** One of these keys has to be there. */
      readonly anyOf?: readonly { readonly required: readonly [string] }[];
      /** False refuses other keys than those of `properties`; a schema describes the values of any key. */
      readonly additionalProperties: false | Schema;
      readonly propertyNames?: TextRule;
      readonly maxProperties?: number;
    }
  | { readonly type: "array"; readonly description?: string; readonly items: Schema; readonly maxItems: number }
  | ({ readonly type: "string"; readonly description?: string } & TextRule)
  | { readonly type: "string"; readonly description?: string; readonly enum: readonly string[] }
  | { readonly type: "boolean"; readonly description?: string };

interface TextRule {
  readonly maxLength: number;
  readonly pattern: string;
  readonly patternErrorMessage: string;
}

const label: TextRule = {
  maxLength: 63,
  pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
  patternErrorMessage: 'must be 1 to 63 of a-z, 0-9 and "-", with a letter or digit at both ends',
};

const printable = (maxLength: number): TextRule => ({
  maxLength,
  pattern: "^[^\\u0000-\\u001f\\u007f]+$",
  patternErrorMessage: `must be 1 to ${maxLength} characters on one line`,
});

const scope = {
  project: { type: "string", description: "Flyte's project that the secrets are looked for in", ...label },
  domain: { type: "string", description: "Flyte's domain that the secrets are looked for in", ...label },
} as const satisfies Readonly<Record<string, Schema>>;

/** As many as a pod may ask for: `webhook.limits.requests`. */
const MAX_SECRETS = 256;
const MAX_ENVIRONMENTS = 32;

const secret: Schema = {
  type: "object",
  additionalProperties: false,
  anyOf: [{ required: ["key"] }, { required: ["group"] }],
  properties: {
    key: {
      type: "string",
      description: "Name of the secret",
      maxLength: 253,
      pattern: "^[-._a-zA-Z0-9]+$",
      patternErrorMessage: 'must be 1 to 253 of a-z, A-Z, 0-9, "-", "." and "_"',
    },
    group: { type: "string", description: "Group of the secret, for secret managers with groups", ...printable(2_048) },
    groupVersion: { type: "string", description: "Version of the group", ...printable(253) },
    description: { type: "string", description: "What it is for, and who has it", ...printable(1_000) },
    as: {
      type: "string",
      description: "How it is wanted; any is the secret manager's choice (default: variable)",
      enum: ["variable", "file", "any"],
    },
    variable: {
      type: "string",
      description: "Variable with the value; with as: file, with the file's path (default: GROUP_KEY or KEY)",
      maxLength: 253,
      pattern: "^[A-Z_][A-Z0-9_]*$",
      patternErrorMessage: "must be the name of a variable, in capital letters, digits and _",
    },
    optional: { type: "boolean", description: "Whether exec goes on without it (default: false)" },
  },
};

const secrets: Schema = {
  type: "array",
  description: "What the project needs. Values have no place in this file",
  items: secret,
  maxItems: MAX_SECRETS,
};

/** What `flyte-secrets.yaml` may have in it. Written into the package for editors. */
export const PROJECT_FILE_SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "flyte-secrets.yaml",
  type: "object",
  description: "Which secrets a project needs, without their values",
  additionalProperties: false,
  required: ["secrets"],
  properties: {
    ...scope,
    secrets,
    environments: {
      type: "object",
      description: "What differs in an environment, which --environment names",
      maxProperties: MAX_ENVIRONMENTS,
      propertyNames: label,
      additionalProperties: {
        type: "object",
        additionalProperties: false,
        properties: {
          ...scope,
          secrets: {
            ...secrets,
            description: "More secrets, and others in place of those of the same name or in the same variable",
          },
        },
      },
    },
  },
} as const satisfies Schema & { readonly $schema: string; readonly title: string };
