import { nearestName } from "@flyte-secrets/core";
import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";
import type { CliContext } from "../context.ts";
import { describeScope, type SecretCommandOptions } from "../options/secret-options.ts";
import { surveySecrets } from "./list-secrets.ts";

/**
 * Says on standard error that a scope holds nothing yet, with the nearest one that does: a typing error makes a scope, too.
 */
export async function noteNewScope(
  client: SecretsClient,
  options: SecretCommandOptions,
  cli: CliContext,
): Promise<void> {
  const { project = "", domain = "", clusterPool } = options;
  if (clusterPool || (!project && !domain) || !(await isEmpty(client))) return;
  const scopes = (await surveySecrets(client)).flatMap(({ project, domain }) => [
    { project, domain },
    { project: "", domain },
  ]);
  const known = new Map(scopes.map((scope) => [nameOf(scope), scope]));
  const near = known.get(nearestName(nameOf({ project, domain }), [...known.keys()]) ?? "");
  const question = near ? `; did you mean ${describeScope(near)}?` : "";
  cli.stderr.write(`note: new scope: ${describeScope(options)} has no secrets yet${question}\n`);
}

const nameOf = ({ project, domain }: { project: string; domain: string }): string => `${domain}/${project}`;

async function isEmpty(client: SecretsClient): Promise<boolean> {
  for await (const _ of Secret.listall({ client, limit: 1 })) return false;
  return true;
}
