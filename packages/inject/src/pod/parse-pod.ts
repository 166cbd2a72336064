import { excerpt, isObject, type JsonObject, SecretsError } from "@flyte-secrets/core";
import type { Pod } from "./pod.ts";

/**
 * Takes what a JSON or YAML parser gave for a pod and returns the same object. Throws `invalid_argument` naming the first
 * field that injection reads and that has the wrong type. Other fields are not looked at: they are the API server's business.
 */
export function parsePod(value: unknown): Pod {
  const fault = podFault(value);
  if (fault !== undefined) throw new SecretsError("invalid_argument", `pod${fault}`);
  // Everything that the type promises and injection reads has just been checked.
  return value as Pod;
}

// One function for each type, since every pod of a cluster passes here: undefined when the value is right, else where it isn't
// and what it must be, such as `.spec must be an object`. A field that may be missing may be null.

type Fault = string | undefined;

const NO_TEXT = "must be a string";
const NO_OBJECT = "must be an object";

function podFault(pod: unknown): Fault {
  if (!isObject(pod)) return ` ${NO_OBJECT}`;
  const { metadata, spec } = pod;
  if (!isObject(spec)) return `.spec ${NO_OBJECT}`;
  const { containers, initContainers, volumes, imagePullSecrets } = spec;
  return (
    metadataFault(metadata) ??
    (Array.isArray(containers) ? undefined : ".spec.containers must be a list") ??
    listFault(".spec.containers", containers, containerFault) ??
    listFault(".spec.initContainers", initContainers, containerFault) ??
    listFault(".spec.volumes", volumes, volumeFault) ??
    listFault(".spec.imagePullSecrets", imagePullSecrets, pullSecretFault)
  );
}

function metadataFault(metadata: unknown): Fault {
  if (isMissing(metadata)) return undefined;
  if (!isObject(metadata)) return `.metadata ${NO_OBJECT}`;
  const { namespace, labels, annotations, ownerReferences } = metadata;
  if (!isOptionalText(namespace)) return `.metadata.namespace ${NO_TEXT}`;
  return (
    textMapFault(".metadata.labels", labels) ??
    textMapFault(".metadata.annotations", annotations) ??
    listFault(".metadata.ownerReferences", ownerReferences, ownerFault)
  );
}

function ownerFault({ apiVersion, kind, name, uid }: JsonObject): Fault {
  if (typeof apiVersion !== "string") return `.apiVersion ${NO_TEXT}`;
  if (typeof kind !== "string") return `.kind ${NO_TEXT}`;
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  return typeof uid === "string" ? undefined : `.uid ${NO_TEXT}`;
}

function containerFault({ name, image, command, env, volumeMounts }: JsonObject): Fault {
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  if (!isOptionalText(image)) return `.image ${NO_TEXT}`;
  return (
    textListFault(".command", command) ??
    listFault(".env", env, variableFault) ??
    listFault(".volumeMounts", volumeMounts, mountFault)
  );
}

function variableFault({ name, value, valueFrom }: JsonObject): Fault {
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  if (!isOptionalText(value)) return `.value ${NO_TEXT}`;
  return isOptionalObject(valueFrom) ? undefined : `.valueFrom ${NO_OBJECT}`;
}

function mountFault({ name, mountPath }: JsonObject): Fault {
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  return typeof mountPath === "string" ? undefined : `.mountPath ${NO_TEXT}`;
}

function volumeFault({ name, emptyDir, secret, projected }: JsonObject): Fault {
  if (typeof name !== "string") return `.name ${NO_TEXT}`;
  if (!isOptionalObject(emptyDir)) return `.emptyDir ${NO_OBJECT}`;
  const fault = secretFault(secret, "secretName");
  if (fault !== undefined) return fault;
  if (isMissing(projected)) return undefined;
  return isObject(projected)
    ? listFault(".projected.sources", projected.sources, (source) => secretFault(source.secret, "name"))
    : `.projected ${NO_OBJECT}`;
}

function pullSecretFault({ name }: JsonObject): Fault {
  return isOptionalText(name) ? undefined : `.name ${NO_TEXT}`;
}

/** `nameField` is what the kind of volume calls the name of the Secret. */
function secretFault(secret: unknown, nameField: "secretName" | "name"): Fault {
  if (isMissing(secret)) return undefined;
  if (!isObject(secret)) return `.secret ${NO_OBJECT}`;
  if (!isOptionalText(secret[nameField])) return `.secret.${nameField} ${NO_TEXT}`;
  return listFault(".secret.items", secret.items, itemFault);
}

function itemFault({ key, path }: JsonObject): Fault {
  if (typeof key !== "string") return `.key ${NO_TEXT}`;
  return typeof path === "string" ? undefined : `.path ${NO_TEXT}`;
}

function listFault(path: string, list: unknown, faultOf: (item: JsonObject) => Fault): Fault {
  if (isMissing(list)) return undefined;
  if (!Array.isArray(list)) return `${path} must be a list`;
  for (let index = 0; index < list.length; index++) {
    const item: unknown = list[index];
    const fault = isObject(item) ? faultOf(item) : ` ${NO_OBJECT}`;
    if (fault !== undefined) return `${path}[${index}]${fault}`;
  }
  return undefined;
}

function textListFault(path: string, list: unknown): Fault {
  if (isMissing(list)) return undefined;
  if (!Array.isArray(list)) return `${path} must be a list`;
  const wrong = list.findIndex((item) => typeof item !== "string");
  return wrong < 0 ? undefined : `${path}[${wrong}] ${NO_TEXT}`;
}

function textMapFault(path: string, map: unknown): Fault {
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
