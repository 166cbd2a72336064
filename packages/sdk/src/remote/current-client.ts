import { type ConnectionOptions, resolveConnection } from "./connection.ts";
import { createSecretsClient, type SecretsClient } from "./secrets-client.ts";

/** Flyte's API is one connection a process, set by `init` and used by static methods: this is where it is. */
let current: Promise<SecretsClient> | undefined;

/**
 * Sets the connection that `Secret` uses from now on; the one before is closed. What the options leave out comes from
 * the environment, as without `init`: see `resolveConnection`. Nothing is sent yet. `no_service` when none is known.
 */
export async function init(options: ConnectionOptions = {}): Promise<void> {
  const client = createSecretsClient(await resolveConnection(options));
  await close();
  current = Promise.resolve(client);
}

/** Closes the connection that `init` or the first call has opened. Later calls open one from the environment. */
export async function close(): Promise<void> {
  const before = current;
  current = undefined;
  (await before)?.close();
}

/** The connection to use: the one that `init` has set, else one from the environment. */
export function currentClient(): Promise<SecretsClient> {
  current ??= fromEnvironment();
  return current;
}

async function fromEnvironment(): Promise<SecretsClient> {
  try {
    return createSecretsClient(await resolveConnection());
  } catch (error) {
    // The next call looks again: a server may have been started meanwhile.
    current = undefined;
    throw error;
  }
}
