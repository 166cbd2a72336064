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

/** The organization that Flyte's open-source backend, which has none, writes into every id (N-4). */
export const DEFAULT_ORGANIZATION = "flyte";

const SEPARATOR = "__";
const INVALID_FORMAT = "secret name has an invalid format";

/** The narrowest part that is set. Throws `invalid_argument` for a project without a domain (N-1). */
export function scopeLevel(scope: SecretScope): ScopeLevel {
  if (scope.project === "") return scope.domain === "" ? "global" : "domain";
  if (scope.domain !== "") return "project";
  throw new SecretsError(
    "invalid_argument",
    `project-scoped secrets must also specify a domain, got project=${quote(scope.project)} domain=""`,
  );
}

/**
 * The string that identifies a secret in every store. {@link decodeSecretId} is its inverse, and no two ids that pass
 * {@link checkSecretId} have the same one. Throws `invalid_argument` for a project without a domain and checks nothing
 * else (N-2).
 */
export function encodeSecretId(id: SecretId): string {
  scopeLevel(id);
  return ["u", "org", id.org, "domain", id.domain, "project", id.project, "key", id.name].join(SEPARATOR);
}

/**
 * Decodes an encoded id, whose name may contain the separator. Throws `invalid_argument` for a text of another form
 * (N-3).
 */
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
 * The short id of a secret at domain or global scope, which Flyte's documentation describes for cloud secret managers
 * but Flyte's code never looks up; undefined at project scope, which has none. To be looked up after the encoded id
 * (N-15).
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
 * The prefix of the encoded ids of a scope, for stores that can only search by prefix. Other scopes' ids may have it
 * too (`dev` and `development`), so filter the result with {@link isInScope}. Throws `invalid_argument` for a project
 * without a domain.
 */
export function scopePrefix(scope: SecretScope): string {
  scopeLevel(scope);
  const parts = ["u", "org", scope.org];
  if (scope.domain !== "") parts.push("domain", scope.domain);
  if (scope.project !== "") parts.push("project", scope.project);
  return parts.join(SEPARATOR);
}

/**
 * Whether `id` has the organization, domain and project of `scope`; an empty domain or project of `scope` matches all
 * (N-8).
 */
export function isInScope(id: SecretScope, scope: SecretScope): boolean {
  return (
    id.org === scope.org &&
    (scope.domain === "" || id.domain === scope.domain) &&
    (scope.project === "" || id.project === scope.project)
  );
}

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const SECRET_NAME = /^[-a-zA-Z0-9_]+$/;
/** The characters of a Kubernetes data key, which an encoded id is there. */
const DATA_KEY = /^[-._a-zA-Z0-9]+$/;

/**
 * Checks a scope: a project needs a domain, and organization, domain and project must be DNS-1123 labels of at most 63
 * characters (domain and project may be empty). Stricter than Flyte, because with `__` in a part two secrets would have
 * one encoded id. Throws `invalid_argument`, naming the field and the rule.
 */
export function checkSecretScope(scope: SecretScope): void {
  scopeLevel(scope);
  checkLabel("organization", scope.org);
  if (scope.domain !== "") checkLabel("domain", scope.domain);
  if (scope.project !== "") checkLabel("project", scope.project);
}

/**
 * Checks the id of a secret to create: its scope by {@link checkSecretScope}, its name and, with `maxIdLength`, the
 * length of its encoded id in characters. Throws `invalid_argument`, naming the field and the rule (N-5).
 */
export function checkSecretId(id: SecretId, limits: { readonly maxIdLength?: number } = {}): void {
  checkSecretScope(id);
  if (!SECRET_NAME.test(id.name)) {
    throw new SecretsError("invalid_argument", 'name: must be one or more of a-z, A-Z, 0-9, "-" and "_"');
  }
  checkLength(id, limits);
}

/**
 * Whether an existing secret, which Flyte or another program may have written, can have this name: a legal data key.
 */
export function isExistingName(name: string): boolean {
  return DATA_KEY.test(name);
}

/**
 * Checks the scope of existing secrets, which other programs may have written by looser rules than {@link
 * checkSecretScope}. Throws `invalid_argument` for a scope that can't be encoded, or that encodes like another one.
 */
export function checkExistingScope(scope: SecretScope): void {
  checkExistingId({ ...scope, name: "any" });
}

/**
 * Checks the id of an existing secret, as {@link checkExistingScope} does. Every id that passes {@link checkSecretId}
 * passes (N-6).
 */
export function checkExistingId(id: SecretId, limits: { readonly maxIdLength?: number } = {}): void {
  scopeLevel(id);
  for (const [field, value] of [
    ["domain", id.domain],
    ["project", id.project],
  ] as const) {
    if (value !== "" && !DATA_KEY.test(value)) throw new SecretsError("invalid_argument", `${field}: ${DATA_KEY_RULE}`);
  }
  if (!isExistingName(id.name)) throw new SecretsError("invalid_argument", `name: ${DATA_KEY_RULE}`);
  if (!decodesToItself(id)) {
    const what = 'domain and project must not hold "__": the encoded id would be that of another secret';
    throw new SecretsError("invalid_argument", what);
  }
  checkLength(id, limits);
}

function decodesToItself(id: SecretId): boolean {
  // The name is the last part: what it contains separates nothing.
  if (!`${id.org}${id.domain}${id.project}`.includes("_")) return true;
  const { org, domain, project, name } = decodeSecretId(encodeSecretId(id));
  return org === id.org && domain === id.domain && project === id.project && name === id.name;
}

const DATA_KEY_RULE = 'must be one or more of a-z, A-Z, 0-9, "-", "." and "_"';

function checkLength(id: SecretId, { maxIdLength }: { readonly maxIdLength?: number }): void {
  const { length } = encodeSecretId(id);
  if (maxIdLength === undefined || length <= maxIdLength) return;
  throw new SecretsError(
    "invalid_argument",
    `name: the encoded id of organization, domain, project and name has ${length} characters, ` +
      `this store takes at most ${maxIdLength}: use a shorter name`,
  );
}

function checkLabel(field: string, value: string): void {
  if (DNS_LABEL.test(value)) return;
  throw new SecretsError(
    "invalid_argument",
    `${field}: must be a DNS-1123 label: 1 to 63 of a-z, 0-9 and "-", with a letter or digit at both ends`,
  );
}
