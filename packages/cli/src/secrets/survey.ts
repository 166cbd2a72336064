import { isSecretsError } from "@flyte-secrets/core";
import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";

/** For a hint, nobody waits longer, and no more is read. */
const MAX_SECRETS = 10_000;
const LIMIT_MS = 3_000;
const PAGE_SIZE = 500;

/**
 * Secrets of all scopes of a client's service, for hints in messages: the first 10,000 that come within three seconds, and
 * none where the service refuses to list them or doesn't answer.
 */
export async function surveySecrets(client: SecretsClient): Promise<readonly Secret[]> {
  const found: Secret[] = [];
  const signal = AbortSignal.timeout(LIMIT_MS);
  try {
    for await (const secret of Secret.listall({ client: everywhere(client), limit: PAGE_SIZE, signal })) {
      found.push(secret);
      if (found.length >= MAX_SECRETS) break;
    }
  } catch (error) {
    if (!isSecretsError(error)) throw error;
  }
  return found;
}

/** The same client without a scope. */
function everywhere(client: SecretsClient): SecretsClient {
  return { ...client, connection: { ...client.connection, project: "", domain: "" } };
}
