/** The variables that a child is started with, all of them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What gives access to secrets beyond those that a task asked for. */
const CREDENTIALS = [
  "FLYTE_SECRETS_MASTER_KEY",
  "FLYTE_SECRETS_NEXT_MASTER_KEY",
  "FLYTE_SECRETS_TOKEN",
  "FLYTE_API_KEY",
];

/**
 * The user's own environment without credentials of ours and without the variables that the Global manager reads, which a
 * task in a cluster does not see either; then what was injected.
 */
export function childEnvironment(
  env: Environment,
  globalPrefix = "",
  injected: ReadonlyMap<string, string>,
): Environment {
  const kept = Object.entries(env).filter(
    ([name]) => !CREDENTIALS.includes(name) && (globalPrefix === "" || !name.startsWith(globalPrefix)),
  );
  return { ...Object.fromEntries(kept), ...Object.fromEntries(injected) };
}
