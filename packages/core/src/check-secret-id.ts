import { SecretsError } from "./errors.ts";
import { encodeSecretId, type SecretId, type SecretScope, scopeLevel } from "./secret-id.ts";

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const SECRET_NAME = /^[-a-zA-Z0-9_]+$/;

/**
 * Checks the parts of a scope: a project has a domain, and organization, domain and project are DNS-1123 labels of at most 63
 * characters (domain and project may be empty). Stricter than Flyte, because a part with `__` in it would make two
 * secrets share one encoded id (spec page 1). Throws `invalid_argument`, naming the field and the rule.
 */
export function checkSecretScope(scope: SecretScope): void {
  scopeLevel(scope);
  checkLabel("organization", scope.org);
  if (scope.domain !== "") checkLabel("domain", scope.domain);
  if (scope.project !== "") checkLabel("project", scope.project);
}

/**
 * Checks an id that is written or named through the API: its scope ({@link checkSecretScope}), its name and, with
 * `maxIdLength`, the length of its encoded id in characters. Throws `invalid_argument`, naming the field and the rule.
 */
export function checkSecretId(id: SecretId, limits: { readonly maxIdLength?: number } = {}): void {
  checkSecretScope(id);
  if (!SECRET_NAME.test(id.name)) {
    throw new SecretsError("invalid_argument", 'name: must be one or more of a-z, A-Z, 0-9, "-" and "_"');
  }
  const { length } = encodeSecretId(id);
  if (limits.maxIdLength !== undefined && length > limits.maxIdLength) {
    throw new SecretsError(
      "invalid_argument",
      `name: the encoded id of organization, domain, project and name has ${length} characters, ` +
        `this store takes at most ${limits.maxIdLength}: use a shorter name`,
    );
  }
}

function checkLabel(field: string, value: string): void {
  if (DNS_LABEL.test(value)) return;
  throw new SecretsError(
    "invalid_argument",
    `${field}: must be a DNS-1123 label: 1 to 63 of a-z, 0-9 and "-", with a letter or digit at both ends`,
  );
}
