import { checkSecretScope } from "./check-secret-id.ts";
import { SecretsError } from "./errors.ts";
import { type ScopeLevel, type SecretId, type SecretScope, scopeLevel } from "./secret-id.ts";

const LOOKUP_KEY = /^[-._a-zA-Z0-9]+$/;

/** One id to look a key up under, and the scope it stands for. */
export interface LookupId {
  readonly level: ScopeLevel;
  readonly id: SecretId;
}

/**
 * The ids under which a key may be found, narrowest scope first: project, domain, global, beginning at the level of `scope`.
 * A key is anything a Kubernetes data key may be, which is more than the API takes as a name. Throws `invalid_argument` for
 * any other key, and for a scope that breaks the rules: it may come from a pod's labels, and must not spell another's id.
 */
export function lookupIds(scope: SecretScope, key: string): LookupId[] {
  checkSecretScope(scope);
  if (!LOOKUP_KEY.test(key)) {
    throw new SecretsError("invalid_argument", 'key: must be one or more of a-z, A-Z, 0-9, "-", "." and "_"');
  }
  const { org, domain, project } = scope;
  const all: LookupId[] = [
    { level: "project", id: { org, domain, project, name: key } },
    { level: "domain", id: { org, domain, project: "", name: key } },
    { level: "global", id: { org, domain: "", project: "", name: key } },
  ];
  return all.slice(all.findIndex(({ level }) => level === scopeLevel(scope)));
}
