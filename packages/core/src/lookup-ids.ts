import { checkSecretScope } from "./check-secret-id.ts";
import { SecretsError } from "./errors.ts";
import { quote } from "./foreign-text.ts";
import { DEFAULT_POD_LIMITS } from "./pod-limits.ts";
import { encodeSecretId, type ScopeLevel, type SecretId, type SecretScope, scopeLevel } from "./secret-id.ts";

const LOOKUP_KEY = /^[-._a-zA-Z0-9]+$/;

/** One id to look a key up under, and the scope it stands for. */
export interface LookupId {
  readonly level: ScopeLevel;
  readonly id: SecretId;
}

/**
 * The ids under which a key may be found, narrowest scope first: project, domain, global, beginning at the level of `scope`.
 * A key is anything a Kubernetes data key may be, which is more than the API takes as a name. Ids of more than `maxIdLength`
 * characters in encoded form can't exist and are left out. Throws `invalid_argument` when none is left, for any other key, and for
 * a scope that breaks the rules: it may come from a pod's labels, and must not spell another's id.
 */
export function lookupIds(scope: SecretScope, key: string, maxIdLength = DEFAULT_POD_LIMITS.idLength): LookupId[] {
  checkSecretScope(scope);
  if (key.length > maxIdLength) throw tooLong(key, maxIdLength);
  if (!LOOKUP_KEY.test(key)) {
    throw new SecretsError("invalid_argument", 'key: must be one or more of a-z, A-Z, 0-9, "-", "." and "_"');
  }
  const { org, domain, project } = scope;
  const all: LookupId[] = [
    { level: "project", id: { org, domain, project, name: key } },
    { level: "domain", id: { org, domain, project: "", name: key } },
    { level: "global", id: { org, domain: "", project: "", name: key } },
  ];
  const ids = all
    .slice(all.findIndex(({ level }) => level === scopeLevel(scope)))
    .filter(({ id }) => encodeSecretId(id).length <= maxIdLength);
  if (ids.length === 0) throw tooLong(key, maxIdLength);
  return ids;
}

function tooLong(key: string, maxIdLength: number): SecretsError {
  return new SecretsError(
    "invalid_argument",
    `key: with ${quote(key)} the encoded id is over the limit of ${maxIdLength} characters (webhook.limits.idLength) at every scope: use a shorter key`,
  );
}
