import { MountRequirement, type SecretRequest } from "@flyte-secrets/core";
import { stringify } from "yaml";
import type { DeclaredTask } from "../check/read-tasks.ts";
import { PROJECT_FILE } from "../project-file/find-project-file.ts";
import { parseProjectFile, type WrittenSecret } from "../project-file/project-file.ts";
import { combineRequests } from "../python/python-requests.ts";

/** What the file has beside the secrets. */
export interface RenderOptions {
  /** The default scope. */
  readonly project?: string | undefined;
  readonly domain?: string | undefined;
  /** The path or address of the schema, for editors. */
  readonly schema?: string | undefined;
}

/**
 * The text of a project file that declares what the tasks ask for, each secret once. Throws `pod_conflict` for two tasks
 * that want different secrets in one variable, and `invalid_argument` for a request that no project file can have.
 */
export function renderProjectFile(tasks: readonly DeclaredTask[], { project, domain, schema }: RenderOptions): string {
  const written = combineRequests(tasks).map(toWritten);
  // Two requests may differ in what the file does not say.
  const secrets = [...new Map(written.map((one) => [JSON.stringify(one), one])).values()];
  const content = { ...(project && { project }), ...(domain && { domain }), secrets };
  const text = `${heading(schema)}${stringify(content, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  parseProjectFile(text, PROJECT_FILE);
  return text;
}

function heading(schema: string | undefined): string {
  return [
    ...(schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`]),
    "# Which secrets this project needs. Their values are kept elsewhere: flyte-secrets create secret KEY",
    "",
  ].join("\n");
}

function toWritten({ group, groupVersion, key, mountRequirement, envVar }: SecretRequest): WrittenSecret {
  const as = mountOf(mountRequirement, envVar);
  return {
    ...(key && { key }),
    ...(group && { group }),
    ...(groupVersion && { groupVersion }),
    ...(as !== "variable" && { as }),
    ...(envVar && { variable: envVar }),
  };
}

function mountOf(mountRequirement: number, envVar: string): "variable" | "file" | "any" {
  if (mountRequirement === MountRequirement.FILE) return "file";
  // Without a name of its own the variable is the secret manager's to name; in a project file it would have Flyte's.
  return mountRequirement === MountRequirement.ENV_VAR && envVar !== "" ? "variable" : "any";
}
