import { withoutCredentials } from "@flyte-secrets/core";

/** The variables that a child is started with, all of them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The user's own environment without credentials of ours and without the variables that the Global manager reads, which a
 * task in a cluster does not see either; then what was injected.
 */
export function childEnvironment(
  env: Environment,
  globalPrefix = "",
  injected: ReadonlyMap<string, string>,
): Environment {
  return { ...withoutCredentials(env, globalPrefix), ...Object.fromEntries(injected) };
}
