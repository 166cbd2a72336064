import { type Assignment, resolveSettingPath } from "./assignment.ts";
import { listSettings } from "./list-settings.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The assignments that an environment makes: the first of a setting's variables that is set. An empty variable counts as not
 * set, as in Flyte. Other variables are not ours and are left alone.
 */
export function readEnvironment(environment: Environment): Assignment[] {
  return listSettings().flatMap(({ path, variables }) => {
    const name = variables.find((variable) => (environment[variable] ?? "") !== "");
    return name === undefined ? [] : [{ path, value: environment[name], origin: `environment variable ${name}` }];
  });
}

/**
 * The assignments that flags make; each is named by a setting's path, in any case, with or without `--`. Messages call those
 * in `names` by the flag that was typed.
 * @throws SecretsError `invalid_config` for one that names no setting.
 */
export function readFlags(
  flags: Readonly<Record<string, string>>,
  names: Readonly<Record<string, string>> = {},
): Assignment[] {
  return Object.entries(flags).map(([flag, value]) => {
    const name = flag.replace(/^--/, "");
    const origin = `flag ${names[flag] ?? `--${name}`}`;
    return { path: resolveSettingPath(name, origin), value, origin };
  });
}
