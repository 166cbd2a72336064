import {
  fromRequestAnnotations,
  isObject,
  isSecretsError,
  MountRequirement,
  type SecretRequest,
} from "@flyte-secrets/core";
import { SECRETS_DIRECTORY } from "@flyte-secrets/inject";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import type { ChangedObject, UnchangedObject } from "./mutate-object.ts";

/** Replaces each value. It is not base64, so that the API server refuses it if it is applied by mistake. */
const PLACEHOLDER = "********";
/** For a value that the change replaces, and for the one that takes its place. */
const REPLACED = { before: `${PLACEHOLDER} (before)`, after: `${PLACEHOLDER} (after)` };

/** kubectl keeps there what was applied last, in JSON. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
/** With delivery Inline, the files that the init container writes: lines of a name and base64. */
const FILES_VARIABLE = /^SECRETS(?:_[0-9]+)?$/;

export type ShownObject = UnchangedObject | ChangedObject;

/**
 * Masks all values in the output of `mutate`: those that are injected and those that exist already, in Secrets and in
 * what kubectl has recorded. A replaced value has different masks before and after, so that the change is visible.
 * `prefix` is `secretEnvVarPrefix`.
 */
export function maskValues(shown: ShownObject, prefix: string): ShownObject {
  if (shown.outcome === "unchanged") {
    return { ...shown, object: maskObject(shown.object, valuePlaces([shown.object], prefix)) };
  }
  const { before, object, patch, secrets } = shown;
  const places = valuePlaces([before, object], prefix);
  const [old, young] = [textsIn(before, places), textsIn(object, places)];
  const maskChanged = (mask: string) => (at: string) => {
    const [a, b] = [old.get(at), young.get(at)];
    return a === undefined || b === undefined || a === b ? PLACEHOLDER : mask;
  };
  return {
    ...shown,
    before: maskObject(before, places, maskChanged(REPLACED.before)),
    object: maskObject(object, places, maskChanged(REPLACED.after)),
    patch: patch.map((one) => ("value" in one ? { ...one, value: walk(one.value, "", { places, replace }) } : one)),
    secrets: secrets.map((secret) => maskObject(secret, places)),
  };
}

const replace = () => PLACEHOLDER;

function maskObject(object: KubernetesObject, places: ValuePlaces, by: Walk["replace"] = replace): KubernetesObject {
  const masked = walk(object, "", { places, replace: by });
  return isObject(masked) ? masked : {};
}

/** Each value by its place, the same before and after a change. */
function textsIn(object: KubernetesObject, places: ValuePlaces): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const note = (at: string, text: string) => {
    texts.set(at, text);
    return text;
  };
  walk(object, "", { places, replace: note });
  return texts;
}

interface Walk {
  readonly places: ValuePlaces;
  /** What is put in the place of a value. */
  readonly replace: (at: string, text: string) => string;
}

/**
 * Copies what an object holds, with all values replaced. Items of lists are known by their names, since others come
 * before them.
 */
function walk(node: unknown, at: string, options: Walk): unknown {
  if (Array.isArray(node)) return node.map((item, index) => walk(item, `${at}/${nameOf(item) ?? index}`, options));
  if (!isObject(node)) return node;
  const { name, value, kind } = node;
  if (typeof name === "string" && typeof value === "string") {
    return { ...node, value: walkVariable(name, value, { at, ...options }) };
  }
  const parts = Object.entries(node).map(([field, part]) => {
    const place = `${at}/${field}`;
    if (kind === "Secret" && at === "" && isData(field, part)) return [field, replaceAll(part, place, options)];
    if (field === LAST_APPLIED && typeof part === "string") return [field, walkJson(part, options)];
    return [field, walk(part, place, options)];
  });
  return Object.fromEntries(parts);
}

function walkVariable(name: string, text: string, { at, places, replace }: Walk & { readonly at: string }): string {
  if (text === "") return text;
  if (places(name, text)) return replace(at, text);
  if (!FILES_VARIABLE.test(name)) return text;
  const lineCount = new Map<string, number>();
  const lines = text.split("\n").map((line) => {
    const [, file, data] = /^([^=+]+[=+])(.+)$/.exec(line) ?? [];
    if (file === undefined || data === undefined) return line;
    const count = lineCount.get(file) ?? 0;
    lineCount.set(file, count + 1);
    return file + replace(`${at}/${file}${count}`, data);
  });
  return lines.join("\n");
}

function isData(field: string, part: unknown): part is KubernetesObject {
  return (field === "data" || field === "stringData") && isObject(part);
}

function replaceAll(data: KubernetesObject, at: string, { replace }: Walk): KubernetesObject {
  const replaced = Object.entries(data).map(([key, text]) => [key, replace(`${at}/${key}`, String(text))]);
  return Object.fromEntries(replaced);
}

/** Text that isn't JSON was not written by kubectl, so all of it is masked. */
function walkJson(json: string, options: Walk): string {
  try {
    // The places in it are others than those of the object itself.
    return `${JSON.stringify(walk(JSON.parse(json), "", { ...options, replace }))}\n`;
  } catch {
    return PLACEHOLDER;
  }
}

function nameOf(item: unknown): string | undefined {
  return isObject(item) && typeof item.name === "string" ? item.name : undefined;
}

/**
 * Whether a variable has a value of a secret, by its name and, for paths of files, by its text. The values themselves
 * cannot decide: a value that was injected before its secret changed is stored nowhere else.
 */
type ValuePlaces = (name: string, text: string) => boolean;

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
function valuePlaces(nodes: readonly unknown[], prefix: string): ValuePlaces {
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

/** Annotations that cannot be parsed contain no requests. */
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
