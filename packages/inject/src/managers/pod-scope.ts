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

/** The result of a lookup that found a secret. */
export type FoundSecret = Extract<LookupResult, { found: true }>;

/** The secret found for a pod, or the reason why none was. */
export type PodLookupResult = FoundSecret | { readonly found: false; readonly reason: string };

/**
 * Looks a key up at the scopes that the pod's labels name, narrowest first. A missing label, and a key or label that
 * can't be part of an id, give a reason and not an error, because another manager may have the key. Throws what the
 * lookup throws. The caller has checked before that the pod may claim the scope (see {@link Injector.refersTo}).
 */
export function findForPod(lookup: ScopeLookup, key: string, context: InjectContext): MaybePromise<PodLookupResult> {
  const scope = scopeOf(context.labels);
  if (typeof scope === "string") return { found: false, reason: missingLabel(scope) };
  try {
    const result = lookup.find(scope, key, context.signal ? { signal: context.signal } : {});
    return result instanceof Promise ? result.then(toPodResult, toReason) : toPodResult(result);
  } catch (error) {
    return toReason(error);
  }
}

function toPodResult(result: LookupResult): PodLookupResult {
  return result.found ? result : { found: false, reason: describeAttempts(result) };
}

function toReason(error: unknown): PodLookupResult {
  if (isSecretsError(error, "invalid_argument")) return { found: false, reason: error.message };
  throw error;
}

/** The source of a value that was found. It refers to the managed Secret when that is in the pod's own namespace. */
export function sourceOf({ id, value, namespace }: FoundSecret, context: InjectContext): ValueSource {
  const source: ValueSource = { kind: "value", value, label: encodeSecretId(id) };
  if (namespace !== context.namespace) return source;
  return { ...source, location: { name: kubernetesSecretName(id), key: source.label } };
}

/** The scope that a pod's labels name, or the name of the first label that is missing. */
export function scopeOf({ organization: org = "", project = "", domain = "" }: InjectContext["labels"]) {
  if (org === "") return "organization";
  if (project === "") return "project";
  if (domain === "") return "domain";
  return { org, project, domain } satisfies SecretScope;
}

function missingLabel(label: string): string {
  return `secret read requirements not met due to empty ${label} field in the pod labels`;
}

function describeAttempts({ attempts, hint }: Extract<LookupResult, { found: false }>): string {
  const ids = attempts.map(({ provider, id }) => `${id} (${provider})`);
  return `secret not found across all scopes, looked for ${ids.join(", ")}${hint ? `; ${hint}` : ""}`;
}
