import { excerpt, isSteeringVariable, SecretsError } from "@flyte-secrets/core";
import type { InjectorEdit, VariableNaming } from "../managers/injector.ts";
import { DIRECTORY_EDITS, prefixEdit } from "../managers/injector.ts";
import { variableNames } from "../managers/variables.ts";
import { requestName } from "../requests.ts";
import { type ManagerEdits, sourceKey } from "./files.ts";

/** The content of a variable, as a text to compare, and the request for it; none for our own variables. */
interface Setting {
  readonly content: string;
  readonly by?: string;
}

/**
 * Checks that no two requests set one variable to different secrets, and that none sets a variable by which tasks find
 * their secrets: the last one would win, and a task would read the wrong secret. Throws `pod_conflict`, naming both
 * requests. Returns a warning for each variable by which programs choose the code that they run, and for each secret in
 * whose place a task would read another (I-10).
 */
export function checkSecretVariables(granted: readonly ManagerEdits<InjectorEdit>[], naming: VariableNaming): string[] {
  const settings = new Map<string, Setting>();
  for (const edit of [prefixEdit({ variables: naming }), ...DIRECTORY_EDITS]) {
    const one = toVariableSetting(edit);
    if (one) settings.set(one.name, { content: one.content });
  }
  const warnings: string[] = [];
  for (const { request, manager, edits } of granted) {
    const by = `${requestName(request)} of ${manager}`;
    for (const edit of edits) {
      const one = toVariableSetting(edit);
      if (one === undefined) continue;
      const other = settings.get(one.name);
      if (other === undefined) {
        settings.set(one.name, { content: one.content, by });
        if (isSteeringVariable(one.name)) warnings.push(steeringWarning(by, one.name));
      } else if (other.content !== one.content) throw conflict(one.name, by, other.by);
    }
  }
  return [...warnings, ...granted.flatMap((one) => findShadowedName(one, settings, naming))];
}

/**
 * A warning where a task that reads the secret by name (`getSecret`, flytekit's `secrets.get`) would get another one:
 * variables take precedence over files, and are tried in upper case, and without the group too.
 */
function findShadowedName(
  { request, manager, edits }: ManagerEdits<InjectorEdit>,
  settings: ReadonlyMap<string, Setting>,
  naming: VariableNaming,
): string[] {
  const { group, groupVersion, key } = request;
  const forms = [[group, groupVersion, key], [group, key], [key]].map((parts) => parts.filter((part) => part !== ""));
  const names = forms
    .filter((parts) => parts.length > 0)
    .flatMap((parts) => variableNames(naming.prefix + parts.join("_").toUpperCase(), { ...naming, style: "posix" }));
  const name = names.find((one) => settings.get(one)?.by !== undefined);
  const found = name === undefined ? undefined : settings.get(name);
  const own = edits.flatMap((edit) => ("source" in edit ? `secret ${sourceKey(edit.source)}` : []));
  if (name === undefined || found === undefined || own.includes(found.content)) return [];
  return [
    `a task that reads secret ${requestName(request)} of ${manager} by its name gets ${found.by}, ` +
      `which is the variable ${excerpt(name)}: ` +
      "rename one, or give that one an env_var",
  ];
}

function toVariableSetting(edit: InjectorEdit): { name: string; content: string } | undefined {
  if (edit.kind === "secretVariable") return { name: edit.name, content: `secret ${sourceKey(edit.source)}` };
  if (edit.kind !== "env") return undefined;
  const { name, value = "", valueFrom } = edit.variable;
  return { name, content: valueFrom ? `reference ${JSON.stringify(valueFrom)}` : `text ${value}` };
}

function steeringWarning(by: string, name: string): string {
  return (
    `secret ${by} is the variable ${excerpt(name)}, by which programs find or choose the code that they run: ` +
    "give it another env_var"
  );
}

function conflict(name: string, by: string, other: string | undefined): SecretsError {
  const variable = excerpt(name);
  const what =
    other === undefined
      ? `secret ${by} would be the variable ${variable}, which tells tasks where secrets are: give it another env_var`
      : `secrets ${other} and ${by} would both be the variable ${variable}, which holds only one: ` +
        "give one of them another env_var, or mount it as a file";
  return new SecretsError("pod_conflict", what);
}
