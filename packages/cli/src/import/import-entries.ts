import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";
import type { SecretEntry } from "../formats/secret-entry.ts";

export interface ImportChoices {
  /** Give secrets that are there the entry's value; otherwise one that is there refuses the whole import. */
  readonly overwrite: boolean;
  /** Find out what would be done, and do nothing. */
  readonly dryRun: boolean;
  readonly clusterPool?: string | undefined;
}

/** Entries of one scope, and a client of that scope. */
export interface ScopedEntries {
  /** In words, for messages. */
  readonly scope: string;
  readonly entries: readonly SecretEntry[];
  readonly client: SecretsClient;
}

/** One entry and what was done for it. */
export interface Imported {
  /** With its scope, when there are several. */
  readonly name: string;
  readonly how: "create" | "update";
}

/**
 * Writes the entries, each as it is reached. `already_exists`, with the names, before anything is written; an error in between says
 * how far it got.
 */
export async function* importEntries(
  groups: readonly ScopedEntries[],
  { overwrite, dryRun, clusterPool }: ImportChoices,
): AsyncGenerator<Imported> {
  const steps = [];
  for (const { scope, entries, client } of groups) {
    const there = await namesIn(client, clusterPool);
    for (const entry of entries) {
      const how: Imported["how"] = there.has(entry.name) ? "update" : "create";
      steps.push({ ...entry, scope, client, how });
    }
  }
  const nameOf = ({ name, scope }: { name: string; scope: string }) =>
    groups.length > 1 ? `${name} (${scope})` : name;
  const taken = steps.filter(({ how }) => how === "update").map(nameOf);
  if (taken.length > 0 && !overwrite) {
    throw new SecretsError(
      "already_exists",
      `already there: ${taken.join(", ")}. Use --overwrite; nothing was written`,
    );
  }
  for (const [done, step] of steps.entries()) {
    const { name, type, value, client, how } = step;
    if (!dryRun && value) {
      await naming(`${nameOf(step)} (${done} of ${steps.length} done)`, () =>
        Secret[how]({ client, clusterPool, name, value, type: type === "generic" ? "regular" : type }),
      );
    }
    yield { name: nameOf(step), how };
  }
}

/** Runs `run` and puts `what` before the message of an error that we raised on purpose. */
export async function naming<T>(what: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    throw new SecretsError(error.code, `${what}: ${error.message}`, { cause: error });
  }
}

/** The names at exactly the scope of `client`; a listing holds the narrower scopes too. */
async function namesIn(client: SecretsClient, clusterPool: string | undefined): Promise<Set<string>> {
  const scope = client.connection;
  const names = new Set<string>();
  for await (const { name, project, domain } of Secret.listall({ client, clusterPool })) {
    if (project === scope.project && domain === scope.domain) names.add(name);
  }
  return names;
}
