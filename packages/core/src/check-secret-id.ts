import { SecretsError } from "./errors.ts";
import { decodeSecretId, encodeSecretId, type SecretId, type SecretScope, scopeLevel } from "./secret-id.ts";

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const SECRET_NAME = /^[-a-zA-Z0-9_]+$/;
/** What the data key of a Kubernetes Secret may have, which an encoded id is there. */
const DATA_KEY = /^[-._a-zA-Z0-9]+$/;

/**
 * Checks the parts of a scope: a project has a domain, and organization, domain and project are DNS-1123 labels of at most 63
 * characters (domain and project may be empty). Stricter than Flyte, because a part with `__` in it would make two
 * secrets share one encoded id. Throws `invalid_argument`, naming the field and the rule.
 */
export function checkSecretScope(scope: SecretScope): void {
  scopeLevel(scope);
  checkLabel("organization", scope.org);
  if (scope.domain !== "") checkLabel("domain", scope.domain);
  if (scope.project !== "") checkLabel("project", scope.project);
}

/**
 * Checks an id that is to be created: its scope ({@link checkSecretScope}), its name and, with
 * `maxIdLength`, the length of its encoded id in characters. Throws `invalid_argument`, naming the field and the rule.
 */
export function checkSecretId(id: SecretId, limits: { readonly maxIdLength?: number } = {}): void {
  checkSecretScope(id);
  if (!SECRET_NAME.test(id.name)) {
    throw new SecretsError("invalid_argument", 'name: must be one or more of a-z, A-Z, 0-9, "-" and "_"');
  }
  checkLength(id, limits);
}

/** Whether a secret that Flyte or somebody else wrote may have this name: what a data key of Kubernetes may have. */
export function isExistingName(name: string): boolean {
  return DATA_KEY.test(name);
}

/**
 * Checks the scope of secrets that are read, changed or deleted: others than this project may have written them by
 * looser rules than {@link checkSecretScope}. Throws `invalid_argument` for a scope that is no part of an encoded id,
 * or of another's.
 */
export function checkExistingScope(scope: SecretScope): void {
  checkExistingId({ ...scope, name: "any" });
}

/** The same for an id. What passes {@link checkSecretId} passes here. */
export function checkExistingId(id: SecretId, limits: { readonly maxIdLength?: number } = {}): void {
  scopeLevel(id);
  for (const [field, value] of [
    ["domain", id.domain],
    ["project", id.project],
  ] as const) {
    if (value !== "" && !DATA_KEY.test(value)) throw new SecretsError("invalid_argument", `${field}: ${DATA_KEY_RULE}`);
  }
  if (!isExistingName(id.name)) throw new SecretsError("invalid_argument", `name: ${DATA_KEY_RULE}`);
  const { org, domain, project, name } = decodeSecretId(encodeSecretId(id));
  if (org !== id.org || domain !== id.domain || project !== id.project || name !== id.name) {
    const what = 'domain and project must not hold "__": the encoded id would be that of another secret';
    throw new SecretsError("invalid_argument", what);
  }
  checkLength(id, limits);
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
