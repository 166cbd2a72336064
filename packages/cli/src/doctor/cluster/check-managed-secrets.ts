import { type KubeClient, SECRETS } from "@flyte-secrets/kube";
import { findMisfit } from "@flyte-secrets/store";
import { type Finding, ok, problem } from "../finding.ts";

const PAGE = 100;
/** Values come with every Secret. */
const MAX_SECRETS = 10_000;
/** More of the same say nothing new. */
const MAX_TOLD = 5;

/**
 * Whether the Secrets of a store's namespace that are meant to hold secrets can be found and are listed. Reads the first
 * 10,000.
 */
export async function checkManagedSecrets(client: KubeClient, namespace: string): Promise<Finding[]> {
  const misfits: Finding[] = [];
  let seen = 0;
  let next: string | undefined;
  do {
    const page = await client.list(SECRETS, { namespace, limit: PAGE, continue: next });
    for (const secret of page.items) {
      const misfit = findMisfit(secret);
      if (misfit === undefined) continue;
      misfits.push(problem(`Secret ${secret.metadata.name} in namespace ${namespace}: ${misfit.what}`, misfit.remedy));
    }
    seen += page.items.length;
    next = page.continue;
  } while (next !== undefined && seen < MAX_SECRETS);
  if (misfits.length === 0) return [ok(`the secrets in namespace ${namespace} can be found by their Secrets' names`)];
  const rest = misfits.length - MAX_TOLD;
  return rest > 0
    ? [
        ...misfits.slice(0, MAX_TOLD),
        problem(`${rest} more Secrets in namespace ${namespace} are like these`, "mend these first"),
      ]
    : misfits;
}
