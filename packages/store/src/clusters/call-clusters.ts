import { isSecretsError, type SecretId, type SecretStore, SecretsError } from "@flyte-secrets/core";

/** One cluster and the store in it. */
export interface ClusterMember {
  /** The name of the cluster in the presence of a secret. */
  readonly cluster: string;
  readonly store: SecretStore;
}

/** The result of a call in one cluster. */
export type Outcome<T> = ClusterMember &
  ({ readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: SecretsError });

/** Makes a call in all clusters at the same time. Throws any error that is not a `SecretsError`. */
export async function callClusters<T>(
  clusters: readonly ClusterMember[],
  call: (cluster: ClusterMember) => Promise<T>,
): Promise<Outcome<T>[]> {
  return await Promise.all(
    clusters.map(async (cluster): Promise<Outcome<T>> => {
      try {
        return { ...cluster, ok: true, value: await call(cluster) };
      } catch (error) {
        if (isSecretsError(error)) return { ...cluster, ok: false, error };
        throw error;
      }
    }),
  );
}

/** Throws the first failure, if there is one. */
export function throwFailure(outcomes: readonly Outcome<unknown>[]): void {
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.error;
}

/**
 * Throws unless a change was made in every cluster. The error for a change that was made only in some names the others
 * and says how to complete it; it has their code if that is the same in all of them.
 */
export function throwUnlessEverywhere(id: SecretId, outcomes: readonly Outcome<unknown>[]): void {
  const failures = outcomes.filter((outcome) => !outcome.ok);
  const [first] = failures;
  if (first === undefined) return;
  const agreed = failures.every(({ error }) => error.code === first.error.code);
  if (agreed && failures.length === outcomes.length) throw first.error;
  const done = outcomes.flatMap(({ ok, cluster }) => (ok ? cluster : []));
  const missed = failures.map(({ cluster, error }) => `${cluster} (${error.code}: ${error.message})`);
  throw new SecretsError(
    agreed ? first.error.code : "store_unavailable",
    `secret ${id.name}: done in ${done.join(", ") || "no cluster"}, but not in ${missed.join(", ")} Repeat the call ` +
      "to complete it.",
    { cause: first.error },
  );
}
