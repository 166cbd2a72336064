import type { Config } from "@flyte-secrets/config";
import { isSecretsError, type SecretScope, type SecretStore } from "@flyte-secrets/core";
import { lookupSource } from "../configured/lookup-options.ts";
import { isSameScope } from "../options/secret-options.ts";
import type { Mask } from "../run/mask/mask.ts";
import { withOwnStore } from "../store/own-store.ts";

/** A token takes 2 ms of CPU to prepare, a private key 8. */
const MAX_SECRETS = 256;
const MAX_BYTES = 4 * 1024 * 1024;

export interface MaskOwnSecretsOptions {
  readonly config: Config;
  /** Of the task: its secrets come first, by which equal values get the names that it knows. */
  readonly scope: SecretScope;
  warn(text: string): void;
}

/**
 * Adds the secrets of this machine's own store to `mask`, of whatever scope: 256 at most, 4 MiB of them at most. Warns
 * where these are not all, or where the secrets are in a manager, which is asked for single ones. Adds nothing where
 * there is no store; throws for one that can't be read.
 */
export async function maskOwnSecrets(mask: Mask, { config, scope, warn }: MaskOwnSecretsOptions): Promise<void> {
  const { type } = lookupSource(config);
  if (type !== "Store") {
    warn(`the secrets are in ${type}: only those that the command is given are replaced by their names`);
    return;
  }
  try {
    await withOwnStore(config, async (store) => {
      const isComplete = await addAll(mask, store, scope);
      if (!isComplete)
        warn(`the store has more than ${MAX_SECRETS} secrets, or 4 MiB of them; not all are replaced by their names`);
    });
  } catch (error) {
    if (!isSecretsError(error, "not_found")) throw error;
  }
}

/** False when some were left out. */
async function addAll(mask: Mask, store: SecretStore, scope: SecretScope): Promise<boolean> {
  const scopes = [scope, { ...scope, project: "" }, { ...scope, project: "", domain: "" }];
  const everything = { ...scope, project: "", domain: "" };
  const page = await store.list({
    scope: everything,
    limit: MAX_SECRETS,
    token: "",
    clusterTokens: {},
    includeSystem: true,
  });
  const ids = page.entries.map(({ id }) => id);
  const own = scopes.flatMap((one) => ids.filter((id) => isSameScope(id, one)));
  let bytes = 0;
  for (const id of new Set([...own, ...ids])) {
    const value = await store.read(id);
    bytes += value?.byteLength ?? 0;
    if (bytes > MAX_BYTES) return false;
    if (value !== undefined) mask.add(value, id.name);
  }
  return page.token === "";
}
