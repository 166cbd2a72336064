import {
  fromRequestAnnotations,
  isObject,
  isSecretsError,
  MountRequirement,
  type SecretRequest,
} from "@flyte-secrets/core";
import { SECRETS_DIRECTORY } from "@flyte-secrets/inject";

/**
 * Tells by its name, and for the path of a file by its text, whether a variable has a value of a secret. Values
 * themselves don't tell: one that a pod was given before its secret changed is nowhere else to be found.
 */
export type ValuePlaces = (name: string, text: string) => boolean;

/** Flyte's SDKs read there how variables with values begin. */
const PREFIX_VARIABLE = "FLYTE_SECRETS_ENV_PREFIX";
/** Variables that name where secrets are; their values are no secrets. */
const TELLING: ReadonlySet<string> = new Set([
  PREFIX_VARIABLE,
  "FLYTE_SECRETS_DEFAULT_DIR",
  "FLYTE_SECRETS_FILE_PREFIX",
]);

/**
 * The places of values in whatever `nodes` are or hold: variables that begin as the webhook's do now (`prefix`) or did
 * when it changed a pod, and those that requests name.
 */
export function valuePlaces(nodes: readonly unknown[], prefix: string): ValuePlaces {
  const prefixes = new Set([prefix]);
  const named = new Map<string, "value" | "value or path">();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    if (!isObject(node)) return;
    if (node.name === PREFIX_VARIABLE && typeof node.value === "string" && node.value !== "") prefixes.add(node.value);
    for (const { envVar, mountRequirement } of requestsOf(node.annotations)) {
      if (envVar === "" || named.get(envVar) === "value") continue;
      named.set(envVar, mountRequirement === MountRequirement.ENV_VAR ? "value" : "value or path");
    }
    for (const part of Object.values(node)) visit(part);
  };
  nodes.forEach(visit);
  const beginnings = [...prefixes].flatMap((one) => [one, one.toUpperCase(), toPosix(one)]);
  return (name, text) => {
    const kind = named.get(name);
    if (kind === "value or path") return !text.startsWith(`${SECRETS_DIRECTORY}/`);
    return kind === "value" || (!TELLING.has(name) && beginnings.some((beginning) => name.startsWith(beginning)));
  };
}

/** As `secretEnvVarNaming: posix` spells it. */
function toPosix(prefix: string): string {
  return prefix.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
}

/** What can't be read asks for nothing. */
function requestsOf(annotations: unknown): readonly SecretRequest[] {
  if (!isObject(annotations)) return [];
  const texts = Object.entries(annotations).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value]] : [],
  );
  try {
    return fromRequestAnnotations(Object.fromEntries(texts));
  } catch (error) {
    if (isSecretsError(error)) return [];
    throw error;
  }
}
