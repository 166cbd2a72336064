import {
  encodeSecretId,
  isSecretsError,
  kubernetesSecretName,
  type LookupResult,
  type MaybePromise,
  type ScopeLookup,
  type SecretScope,
} from "@flyte-secrets/core";
import type { InjectContext, ValueSource } from "./injector.ts";

/** A secret that was found. */
export type Found = Extract<LookupResult, { found: true }>;

/** A secret that was found for a pod, or why it wasn't. */
export type FoundForPod = Found | { readonly found: false; readonly reason: string };

/**
 * Looks a key up at the scopes that the pod's labels name, narrowest first. A label that is missing, or a key or label that can
 * be no part of an id, is a reason and not a fault: another manager may know the key. Throws what the lookup throws. Whether
 * the pod may claim that scope is judged before (`Injector.refersTo`).
 */
export function findForPod(lookup: ScopeLookup, key: string, context: InjectContext): MaybePromise<FoundForPod> {
  const scope = scopeOf(context.labels);
  if (typeof scope === "string") return { found: false, reason: missingLabel(scope) };
  try {
    const result = lookup.find(scope, key, context.signal ? { signal: context.signal } : {});
    return result instanceof Promise ? result.then(toFoundForPod, toReason) : toFoundForPod(result);
  } catch (error) {
    return toReason(error);
  }
}

function toFoundForPod(result: LookupResult): FoundForPod {
  return result.found ? result : { found: false, reason: foundNowhere(result) };
}

function toReason(error: unknown): FoundForPod {
  if (isSecretsError(error, "invalid_argument")) return { found: false, reason: error.message };
  throw error;
}

/** Where the value that was found comes from; as it lies there, if that is in the pod's own namespace. */
export function sourceOf({ id, value, namespace }: Found, context: InjectContext): ValueSource {
  const source: ValueSource = { kind: "value", value, label: encodeSecretId(id) };
  if (namespace !== context.namespace) return source;
  return { ...source, location: { name: kubernetesSecretName(id), key: source.label } };
}

/** The scope that a pod's labels claim, or the first of them that is missing. */
export function scopeOf({ organization: org = "", project = "", domain = "" }: InjectContext["labels"]) {
  if (org === "") return "organization";
  if (project === "") return "project";
  if (domain === "") return "domain";
  return { org, project, domain } satisfies SecretScope;
}

function missingLabel(label: string): string {
  return `secret read requirements not met due to empty ${label} field in the pod labels`;
}

function foundNowhere({ attempts, hint }: Extract<LookupResult, { found: false }>): string {
  const ids = attempts.map(({ provider, id }) => `${id} (${provider})`);
  return `secret not found across all scopes, looked for ${ids.join(", ")}${hint ? `; ${hint}` : ""}`;
}
