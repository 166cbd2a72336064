import { excerpt, isObject, type JsonObject, SecretsError } from "@flyte-secrets/core";
import type { Pod } from "./pod.ts";

/**
 * Validates the result of a JSON or YAML parser as a pod and returns the same object. Throws `invalid_argument`, naming
 * the first field of a wrong type. Only the fields that injection reads are checked; the API server validates the rest.
 */
export function parsePod(value: unknown): Pod {
  const problem = validatePod(value);
  if (problem !== undefined) throw new SecretsError("invalid_argument", `pod${problem}`);
  // Every field that the type declares has just been checked.
  return value as Pod;
}

// Hand-written, one function for each type, because every pod of a cluster passes here. Each returns undefined for a
// valid value, otherwise a path and a rule, such as `.spec must be an object`. An optional field may be null.

type Problem = string | undefined;

const NO_TEXT = "must be a string";
const NO_OBJECT = "must be an object";

function validatePod(pod: unknown): Problem {
  if (!isObject(pod)) return ` ${NO_OBJECT}`;
  const { metadata, spec } = pod;
  if (!isObject(spec)) return `.spec ${NO_OBJECT}`;
  const { containers, initContainers, volumes, imagePullSecrets } = spec;
  return (
    validateMetadata(metadata) ??
    (Array.isArray(containers) ? undefined : ".spec.containers must be a list") ??
    validateList(".spec.containers", containers, validateContainer) ??
    validateList(".spec.initContainers", initContainers, validateContainer) ??
    validateList(".spec.volumes", volumes, validateVolume) ??
    validateList(".spec.imagePullSecrets", imagePullSecrets, validatePullSecret)
  );
}

function validateMetadata(metadata: unknown): Problem {
  if (isMissing(metadata)) return undefined;
  if (!isObject(metadata)) return `.metadata ${NO_OBJECT}`;
  const { namespace, labels, annotations, ownerReferences } = metadata;
  if (!isOptionalText(namespace)) return `.metadata.namespace ${NO_TEXT}`;
  return (
    validateTextMap(".metadata.labels", labels) ??
    validateTextMap(".metadata.annotations", annotations) ??
    validateList(".metadata.ownerReferences", ownerReferences, validateOwner)
  );
}

function validateOwner({ apiVersion, kind, name, uid }: JsonObject): Problem {
  if (typeof apiVersion !== "string") return `.apiVersion ${NO_TEXT}`;
  if (typeof kind !== "string") return `.kind ${NO_TEXT}`;
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  return typeof uid === "string" ? undefined : `.uid ${NO_TEXT}`;
}

function validateContainer({ name, image, command, env, volumeMounts }: JsonObject): Problem {
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  if (!isOptionalText(image)) return `.image ${NO_TEXT}`;
  return (
    validateTextList(".command", command) ??
    validateList(".env", env, validateVariable) ??
    validateList(".volumeMounts", volumeMounts, validateMount)
  );
}

function validateVariable({ name, value, valueFrom }: JsonObject): Problem {
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  if (!isOptionalText(value)) return `.value ${NO_TEXT}`;
  return isOptionalObject(valueFrom) ? undefined : `.valueFrom ${NO_OBJECT}`;
}

function validateMount({ name, mountPath }: JsonObject): Problem {
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  return typeof mountPath === "string" ? undefined : `.mountPath ${NO_TEXT}`;
}

function validateVolume({ name, emptyDir, secret, projected }: JsonObject): Problem {
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  if (!isOptionalObject(emptyDir)) return `.emptyDir ${NO_OBJECT}`;
  const problem = validateSecret(secret, "secretName");
  if (problem !== undefined) return problem;
  if (isMissing(projected)) return undefined;
  return isObject(projected)
    ? validateList(".projected.sources", projected.sources, (source) => validateSecret(source.secret, "name"))
    : `.projected ${NO_OBJECT}`;
}

function validatePullSecret({ name }: JsonObject): Problem {
  return isOptionalText(name) ? undefined : `.name ${NO_TEXT}`;
}

/** `nameField` is what the kind of volume calls the name of the Secret. */
function validateSecret(secret: unknown, nameField: "secretName" | "name"): Problem {
  if (isMissing(secret)) return undefined;
  if (!isObject(secret)) return `.secret ${NO_OBJECT}`;
  if (!isOptionalText(secret[nameField])) return `.secret.${nameField} ${NO_TEXT}`;
  return validateList(".secret.items", secret.items, validateItem);
}

function validateItem({ key, path }: JsonObject): Problem {
  if (typeof key !== "string") return `.key ${NO_TEXT}`;
  return typeof path === "string" ? undefined : `.path ${NO_TEXT}`;
}

function validateList(path: string, list: unknown, validate: (item: JsonObject) => Problem): Problem {
  if (isMissing(list)) return undefined;
  if (!Array.isArray(list)) return `${path} must be a list`;
  for (let index = 0; index < list.length; index++) {
    const item: unknown = list[index];
    const problem = isObject(item) ? validate(item) : ` ${NO_OBJECT}`;
    if (problem !== undefined) return `${path}[${index}]${problem}`;
  }
  return undefined;
}

function validateTextList(path: string, list: unknown): Problem {
  if (isMissing(list)) return undefined;
  if (!Array.isArray(list)) return `${path} must be a list`;
  const wrong = list.findIndex((item) => typeof item !== "string");
  return wrong < 0 ? undefined : `${path}[${wrong}] ${NO_TEXT}`;
}

function validateTextMap(path: string, map: unknown): Problem {
  if (isMissing(map)) return undefined;
  if (!isObject(map)) return `${path} ${NO_OBJECT}`;
  for (const name of Object.keys(map)) if (typeof map[name] !== "string") return `${path}[${excerpt(name)}] ${NO_TEXT}`;
  return undefined;
}

function isMissing(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function isOptionalText(value: unknown): boolean {
  return typeof value === "string" || isMissing(value);
}

function isOptionalObject(value: unknown): boolean {
  return isMissing(value) || isObject(value);
}
