import { type ConnectionOptions, resolveConnection } from "./connection.ts";
import { createSecretsClient, type SecretsClient } from "./secrets-client.ts";

/** The connection of this process: in Flyte's API `init` sets it and static methods use it. */
let current: Promise<SecretsClient> | undefined;

/**
 * Sets the connection that `Secret` uses from now on, and closes the previous one. Settings that the options leave out
 * come from the environment: see `resolveConnection`. Nothing is sent yet. Throws `no_service` when no endpoint is
 * known.
 */
export async function init(options: ConnectionOptions = {}): Promise<void> {
  const client = createSecretsClient(await resolveConnection(options));
  await close();
  current = Promise.resolve(client);
}

/** Closes the connection of `init` or of the first call. Later calls open one from the environment. */
export async function close(): Promise<void> {
  const before = current;
  current = undefined;
  (await before)?.close();
}

/** Returns the connection of `init`, or else opens one from the environment. */
export function currentClient(): Promise<SecretsClient> {
  current ??= fromEnvironment();
  return current;
}

async function fromEnvironment(): Promise<SecretsClient> {
  try {
    return createSecretsClient(await resolveConnection());
  } catch (error) {
    // The next call tries again: a server may have been started by then.
    current = undefined;
    throw error;
  }
}
