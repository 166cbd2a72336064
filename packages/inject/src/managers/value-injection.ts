import { MountRequirement, quote, type SecretRequest } from "@flyte-secrets/core";
import {
  type Injection,
  prefixEdit,
  SECRETS_DIRECTORY,
  setVariable,
  type ValueSource,
  type VariableNaming,
  valueEdits,
} from "./injector.ts";
import { describeUnknownMount } from "./request-fields.ts";
import { validateVariable, variableNames } from "./variables.ts";

/** A request, its value, and how variables are named. */
export interface ValueInjection {
  readonly request: SecretRequest;
  readonly source: ValueSource;
  readonly variables: VariableNaming;
  readonly found?: Extract<Injection, { injected: true }>["found"];
}

/**
 * The injection of a value that the webhook itself has: a file where the request asks for one, otherwise variables
 * (I-18, I-19).
 */
export function injectValue({ request, source, variables, found }: ValueInjection): Injection {
  const { key, envVar } = request;
  const result = { injected: true, ...(found && { found }) } as const;
  if (request.mountRequirement === MountRequirement.FILE) {
    const pathEdits = envVar === "" ? [] : [setVariable(envVar, `${SECRETS_DIRECTORY}/${key}`)];
    return { ...result, edits: [{ kind: "secretFile", file: key, source }, ...pathEdits] };
  }
  const standard = variables.prefix + key.toUpperCase();
  const names = envVar === "" ? variableNames(standard, variables) : [envVar];
  const reason = validateVariable(source.value, key, names);
  if (reason !== undefined) return { injected: false, reason };
  return { ...result, edits: [prefixEdit({ variables }), ...valueEdits(names, source)] };
}

/**
 * The reason why a request can't be served, whatever its value is; undefined when it can. Checked before any lookup.
 */
export function validateRequest(request: SecretRequest): string | undefined {
  const { key, mountRequirement } = request;
  if (key === "") return "Embedded Secrets Webhook requires key to be set";
  switch (mountRequirement) {
    case MountRequirement.ANY:
    case MountRequirement.ENV_VAR:
      return undefined;
    case MountRequirement.FILE:
      return isFilePath(key) ? undefined : `key ${quote(key)} can't be the name of a file`;
    default:
      return describeUnknownMount(request);
  }
}

/** Longest name of a file on Linux (`NAME_MAX`). */
const MAX_NAME_BYTES = 255;
/** Nearly every key: legal as a file's name if it is short enough. */
const PLAIN_NAME = /^[a-zA-Z0-9_-][a-zA-Z0-9_.-]*$/;

/**
 * Whether a key can be a path below the secrets directory by the rules of Kubernetes and Linux. Names that begin with
 * `..` are reserved for the kubelet's own links in a volume.
 */
function isFilePath(key: string): boolean {
  if (PLAIN_NAME.test(key)) return key.length <= MAX_NAME_BYTES;
  const isName = (name: string) => !/^(?:\.?|\.\..*)$/s.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES;
  return !/\p{Cc}/u.test(key) && key.split("/").every(isName);
}
