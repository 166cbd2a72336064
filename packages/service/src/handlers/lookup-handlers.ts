import type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { checkSecretScope, lookupIds, type SecretStore, SecretsError, type SecretValue } from "@flyte-secrets/core";
import { type FoundSecretSchema, type LookupService, ValueForm } from "@flyte-secrets/idl";
import type { CallScope } from "../rpc/call-context.ts";

export interface LookupHandlerParts {
  readonly store: SecretStore;
  readonly organization: string;
}

/** As many as a pod may ask for: `webhook.limits.requests`. */
const MAX_KEYS = 256;

type Method = (typeof LookupService)["method"]["lookupSecrets"];
type Found = MessageInitShape<typeof FoundSecretSchema>;

/**
 * The call that says from where a task would get secrets. It reads as the webhook does, system secrets included, and
 * tells of a value only whether a variable can have it.
 */
export function createLookupHandlers({ store, organization }: LookupHandlerParts) {
  async function find(scope: Parameters<typeof lookupIds>[0], key: string, signal: AbortSignal): Promise<Found[]> {
    for (const { id } of lookupIds(scope, key, store.maxIdLength)) {
      const value = await store.read(id, { signal });
      if (value !== undefined) return [{ key, domain: id.domain, project: id.project, form: formOf(value) }];
    }
    return [];
  }

  return {
    async lookupSecrets(
      { domain, project, keys }: MessageShape<Method["input"]>,
      { signal }: CallScope,
    ): Promise<MessageInitShape<Method["output"]>> {
      const scope = { org: organization, domain, project };
      checkSecretScope(scope);
      if (keys.length > MAX_KEYS) throw new SecretsError("invalid_argument", `keys: at most ${MAX_KEYS}`);
      const secrets: Found[] = [];
      for (const key of keys) secrets.push(...(await find(scope, key, signal)));
      return { secrets };
    },
  };
}

/** Linux takes so much for `NAME=value` and a NUL (`MAX_ARG_STRLEN`); a name has at most 253 bytes. */
const MAX_TEXT_BYTES = 131_072 - 253 - 2;

function formOf(value: SecretValue): ValueForm {
  if (value.revealText() === undefined) return ValueForm.BINARY;
  if (value.revealBytes().includes(0)) return ValueForm.NUL;
  return value.byteLength > MAX_TEXT_BYTES ? ValueForm.LONG : ValueForm.TEXT;
}
