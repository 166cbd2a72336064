import {
  type InjectContext,
  type InjectorEdit,
  SECRETS_DIRECTORY,
  type SecretSource,
  setVariable,
} from "./pod/injector.ts";

/** Tells a task which prefix the variables have that hold values. */
export function prefixEdit({ variables }: Pick<InjectContext, "variables">): InjectorEdit {
  return setVariable("FLYTE_SECRETS_ENV_PREFIX", variables.prefix);
}

/** Sets every one of `names` to the secret's value, in this order. */
export function valueEdits(names: readonly string[], source: SecretSource): InjectorEdit[] {
  return names.map((name) => ({ kind: "secretVariable", name, source }));
}

/** Tell a task where files are: the directory, and that their names have no prefix. */
export const DIRECTORY_EDITS = [
  setVariable("FLYTE_SECRETS_DEFAULT_DIR", SECRETS_DIRECTORY),
  setVariable("FLYTE_SECRETS_FILE_PREFIX", ""),
] as const;
