import { isExistingName, SecretsError } from "@flyte-secrets/core";
import type { SecretIdentifier } from "@flyte-secrets/idl";

const NEW_NAME = /^[-a-zA-Z0-9_]+$/;

/**
 * Checks the id of a request by the rules that Flyte's IDL declares, and throws `invalid_argument` in protovalidate's
 * words. The rule for names applies to secrets that are created: Flyte's own service does not enforce it, and secrets
 * that it has written must be readable, changeable and deletable. Written by hand, because protovalidate takes a
 * quarter of a second of a start for these three rules; a test holds them to what it says.
 */
export function checkRequestId(id: SecretIdentifier | undefined, { isNew }: { readonly isNew: boolean }): void {
  if (id === undefined) throw new SecretsError("invalid_argument", "id: value is required [required]");
  if (NEW_NAME.test(id.name) || (!isNew && isExistingName(id.name))) return;
  const empty = id.name === "" ? "id.name: must be at least 1 characters [string.min_len]; " : "";
  const pattern = `id.name: does not match regex pattern \`${NEW_NAME.source}\` [string.pattern]`;
  throw new SecretsError("invalid_argument", empty + pattern);
}
