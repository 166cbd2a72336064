import {
  encodeSecretId,
  isSecretsError,
  lookupIds,
  type ScopeLookup,
  type SecretLookup,
  SecretsError,
  SecretValue,
  withoutGroups,
} from "@flyte-secrets/core";
import { ValueForm } from "@flyte-secrets/idl";
import type { SecretsClient } from "@flyte-secrets/sdk/remote";

/**
 * A lookup that asks a service. It says where secrets are, and not what they are: a value that is found is a stand-in
 * that fits into a variable exactly if the secret's own does. Throws `call_refused` for a service without the call.
 */
export function createServiceLookup(client: SecretsClient, maxIdLength: number): SecretLookup {
  const lookup: ScopeLookup = {
    async find(scope, key, { signal } = {}) {
      const ids = lookupIds(scope, key, maxIdLength);
      const { domain, project } = scope;
      const { secrets } = await client
        .call({ signal }, (service, options) => service.lookupSecrets({ domain, project, keys: [key] }, options))
        .catch(explainMissingCall);
      const [found] = secrets;
      const at = ids.findIndex(({ id }) => id.domain === found?.domain && id.project === found.project);
      const attempts = ids.slice(0, at < 0 ? ids.length : at + 1).map(({ level, id }, index) => {
        const outcome = index === at ? ("found" as const) : ("not found" as const);
        return { provider: "service", level, id: encodeSecretId(id), outcome };
      });
      const hit = ids[at];
      if (hit === undefined || found === undefined) return { found: false, attempts };
      return { found: true, ...hit, value: standIn(found.form), attempts };
    },
  };
  return withoutGroups(lookup, "the service");
}

function explainMissingCall(error: unknown): never {
  if (!isSecretsError(error, "unimplemented")) throw error;
  const message = "the service can't say where secrets are: it is Flyte's own, or of an older flyte-secrets";
  throw new SecretsError("call_refused", message, { cause: error });
}

/** Longer than any variable on Linux. */
const TOO_LONG = 131_072;

function standIn(form: ValueForm): SecretValue {
  switch (form) {
    case ValueForm.TEXT:
      return SecretValue.fromText("text");
    case ValueForm.NUL:
      return SecretValue.fromText("\0");
    case ValueForm.LONG:
      return SecretValue.fromText("x".repeat(TOO_LONG));
    // A form that a newer service knows is not known to fit.
    default:
      return SecretValue.fromBytes(Uint8Array.of(0xff));
  }
}
