import { nearestName } from "@flyte-secrets/core";
import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";
import type { CliContext } from "../context.ts";
import { describeScope, type SecretCommandOptions } from "../options/secret-options.ts";
import { surveySecrets } from "./list-secrets.ts";

/** A project in a domain, a domain, or with neither the global scope. */
export interface NamedScope {
  readonly project: string;
  readonly domain: string;
}

/**
 * `; did you mean project shop, domain production?`: the scope with the nearest name that holds secrets, or nothing.
 */
export function suggestScope({ project, domain }: NamedScope, holders: readonly NamedScope[]): string {
  const scopes = holders.flatMap((holder) => [holder, { project: "", domain: holder.domain }]);
  const known = new Map(scopes.map((scope) => [nameOf(scope), scope]));
  const near = known.get(nearestName(nameOf({ project, domain }), [...known.keys()]) ?? "");
  return near ? `; did you mean ${describeScope(near)}?` : "";
}

/** Returns the note that a scope has no secret yet, since a typing error creates a new scope. */
export function describeNewScope(scope: NamedScope, holders: readonly NamedScope[]): string {
  return `note: new scope: ${describeScope(scope)} has no secrets yet${suggestScope(scope, holders)}\n`;
}

/** Prints {@link describeNewScope} on standard error where the scope of the client holds no secret. */
export async function noteNewScope(
  client: SecretsClient,
  options: SecretCommandOptions,
  cli: CliContext,
): Promise<void> {
  const { project = "", domain = "", clusterPool } = options;
  if (clusterPool || (!project && !domain) || !(await isEmpty(client))) return;
  cli.stderr.write(describeNewScope({ project, domain }, await surveySecrets(client)));
}

const nameOf = ({ project, domain }: NamedScope): string => `${domain}/${project}`;

async function isEmpty(client: SecretsClient): Promise<boolean> {
  for await (const _ of Secret.listall({ client, limit: 1 })) return false;
  return true;
}
