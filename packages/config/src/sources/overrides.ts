import { listSettings } from "../list-settings.ts";
import { type Assignment, resolveSettingPath } from "./assignment.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the assignments of an environment: each setting takes the first of its variables that is set. An empty variable
 * counts as not set, as in Flyte. Other variables are ignored.
 */
export function readEnvironment(environment: Environment): Assignment[] {
  return listSettings().flatMap(({ path, variables }) => {
    const name = variables.find((variable) => (environment[variable] ?? "") !== "");
    return name === undefined ? [] : [{ path, value: environment[name], origin: `environment variable ${name}` }];
  });
}

/**
 * Reads the assignments of flags. Each is named by a setting's path, case-insensitively, with or without `--`. Errors
 * name those in `names` by the flag that was typed.
 * @throws SecretsError `invalid_config` for a flag that is no setting.
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
