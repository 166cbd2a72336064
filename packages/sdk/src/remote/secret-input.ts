import { SecretsError, type SecretValue } from "@flyte-secrets/core";
import { SecretType as WireType } from "@flyte-secrets/idl";
import type { Connection } from "./connection.ts";

/** A value of one's own, or a `.dockerconfigjson` for pulling images. */
export type SecretType = "regular" | "image_pull";

/** A secret to write. */
export interface SecretInput {
  readonly name: string;
  /** Text, or bytes as they are. An empty value is a value. */
  readonly value: string | Uint8Array | SecretValue;
  /** Default `regular`. */
  readonly type?: SecretType | undefined;
  readonly clusterPool?: string | undefined;
}

/** What is being done, in the words of messages. */
export type Doing = "creating" | "updating" | "getting" | "listing" | "deleting";

interface Scope {
  readonly organization: string;
  readonly project: string;
  readonly domain: string;
}

/** The scope of a call. A cluster pool excludes project and domain: `invalid_argument`. */
export function scopeFor({ org, project, domain }: Connection, doing: Doing, clusterPool: string | undefined): Scope {
  if (clusterPool && (project || domain)) {
    throw notTogether(project, domain, `${doing} a secret scoped to cluster pool \`${clusterPool}\`.`);
  }
  return { organization: org, project, domain };
}

/**
 * The body of CreateSecret and UpdateSecret. An image-pull secret has neither project nor domain: `invalid_argument`.
 */
export function toWriteRequest(connection: Connection, doing: "creating" | "updating", input: SecretInput) {
  const { name, value, type = "regular", clusterPool } = input;
  const scope = scopeFor(connection, doing, clusterPool);
  if (type === "image_pull" && (scope.project || scope.domain)) {
    throw notTogether(scope.project, scope.domain, `${doing} the image pull secret.`);
  }
  return {
    id: { ...scope, name },
    secretSpec: {
      type: type === "image_pull" ? WireType.IMAGE_PULL_SECRET : WireType.GENERIC,
      value: toWireValue(value),
    },
  };
}

function toWireValue(
  value: SecretInput["value"],
): { case: "stringValue"; value: string } | { case: "binaryValue"; value: Uint8Array } {
  if (typeof value === "string") return { case: "stringValue", value };
  if (value instanceof Uint8Array) return { case: "binaryValue", value };
  const text = value.revealText();
  return text === undefined
    ? { case: "binaryValue", value: value.revealBytes() }
    : { case: "stringValue", value: text };
}

/** Flyte's own words. */
const notTogether = (project: string, domain: string, rest: string): SecretsError =>
  new SecretsError("invalid_argument", `Project \`${project}\` or domain \`${domain}\` should not be set when ${rest}`);
