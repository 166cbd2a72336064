import { SecretsError } from "./errors.ts";
import { quote } from "./foreign-text.ts";

/** Where a secret lives. `domain` and `project` are empty for a broader scope; a project always has a domain. */
export interface SecretScope {
  readonly org: string;
  readonly domain: string;
  readonly project: string;
}

/** A secret's identity: scope and name. */
export interface SecretId extends SecretScope {
  readonly name: string;
}

/** The narrowest part that is set. */
export type ScopeLevel = "project" | "domain" | "global";

/** The organization that Flyte's open-source backend, which has none, writes into every id. */
export const DEFAULT_ORGANIZATION = "flyte";

const SEPARATOR = "__";
const INVALID_FORMAT = "secret name has an invalid format";

/** The narrowest part that is set. Throws `invalid_argument` for a project without a domain. */
export function scopeLevel(scope: SecretScope): ScopeLevel {
  if (scope.project === "") return scope.domain === "" ? "global" : "domain";
  if (scope.domain !== "") return "project";
  throw new SecretsError(
    "invalid_argument",
    `project-scoped secrets must also specify a domain, got project=${quote(scope.project)} domain=""`,
  );
}

/**
 * The one string that stands for a secret in every store. Reversed by {@link decodeSecretId}; no two ids that pass
 * `checkSecretId` share one. Throws `invalid_argument` for a project without a domain and checks nothing else.
 */
export function encodeSecretId(id: SecretId): string {
  scopeLevel(id);
  return ["u", "org", id.org, "domain", id.domain, "project", id.project, "key", id.name].join(SEPARATOR);
}

/** Reads an encoded id; a name may contain the separator. Throws `invalid_argument` for a text of another form. */
export function decodeSecretId(text: string): SecretId {
  const [u, org, orgValue, domain, domainValue, project, projectValue, key, ...name] = text.split(SEPARATOR);
  if (orgValue === undefined || domainValue === undefined || projectValue === undefined || name.length === 0) {
    throw new SecretsError("invalid_argument", `${INVALID_FORMAT}: not enough parts`);
  }
  if (u !== "u" || org !== "org" || domain !== "domain" || project !== "project" || key !== "key") {
    throw new SecretsError("invalid_argument", `${INVALID_FORMAT}: unexpected parts`);
  }
  return { org: orgValue, domain: domainValue, project: projectValue, name: name.join(SEPARATOR) };
}

/**
 * The short id of a broader scope that Flyte's documentation describes for cloud secret managers and Flyte's code never
 * looks up; undefined at project scope, which has none. Ask for it after the encoded id.
 */
export function encodeShortSecretId(id: SecretId): string | undefined {
  switch (scopeLevel(id)) {
    case "project":
      return undefined;
    case "domain":
      return ["u", "org", id.org, "domain", id.domain, "key", id.name].join(SEPARATOR);
    case "global":
      return ["u", "org", id.org, "key", id.name].join(SEPARATOR);
  }
}

/**
 * What the encoded ids of a scope begin with, for stores that can only search by prefix. Other scopes' ids may begin with it
 * too (`dev` and `development`): filter what is found with {@link isInScope}. Throws `invalid_argument` for a project
 * without a domain.
 */
export function scopePrefix(scope: SecretScope): string {
  scopeLevel(scope);
  const parts = ["u", "org", scope.org];
  if (scope.domain !== "") parts.push("domain", scope.domain);
  if (scope.project !== "") parts.push("project", scope.project);
  return parts.join(SEPARATOR);
}

/** Whether `id` has the organization, domain and project of `scope`; an empty domain or project of `scope` matches all. */
export function isInScope(id: SecretScope, scope: SecretScope): boolean {
  return (
    id.org === scope.org &&
    (scope.domain === "" || id.domain === scope.domain) &&
    (scope.project === "" || id.project === scope.project)
  );
}
