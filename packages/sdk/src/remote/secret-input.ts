import { SecretsError, type SecretValue } from "@flyte-secrets/core";
import { SecretType as WireType } from "@flyte-secrets/idl";
import type { Connection } from "./connection.ts";

/** The type of a secret: `regular`, or a `.dockerconfigjson` for pulling images. */
export type SecretType = "regular" | "image_pull";

/** A secret to write. */
export interface SecretInput {
  readonly name: string;
  /** Text, or bytes as they are. An empty value is allowed. */
  readonly value: string | Uint8Array | SecretValue;
  /** Default `regular`. */
  readonly type?: SecretType | undefined;
  readonly clusterPool?: string | undefined;
}

/** The operation, as messages name it. */
export type Operation = "creating" | "updating" | "getting" | "listing" | "deleting";

interface Scope {
  readonly organization: string;
  readonly project: string;
  readonly domain: string;
}

/** Returns the scope of a call. Throws `invalid_argument` for a cluster pool together with project or domain. */
export function scopeFor(
  { org, project, domain }: Connection,
  doing: Operation,
  clusterPool: string | undefined,
): Scope {
  if (clusterPool && (project || domain)) {
    throw notTogether(project, domain, `${doing} a secret scoped to cluster pool \`${clusterPool}\`.`);
  }
  return { organization: org, project, domain };
}

/**
 * Returns the message of CreateSecret and UpdateSecret. Throws `invalid_argument` for an image-pull secret with project
 * or domain.
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

/** The message of Flyte's clients. */
const notTogether = (project: string, domain: string, rest: string): SecretsError =>
  new SecretsError("invalid_argument", `Project \`${project}\` or domain \`${domain}\` should not be set when ${rest}`);
