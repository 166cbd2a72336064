import { isDeepStrictEqual } from "node:util";
import { isSecretsError, type SecretId } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeSecret, nextLimit, SECRETS } from "@flyte-secrets/kube";
import { withoutMarks } from "./foreign-owner.ts";
import { MANAGED_SELECTOR, managedId } from "./managed-secret.ts";

const PAGE = 100;

export interface CopyManagedSecretsOptions {
  readonly client: Pick<KubeClient, "get" | "list" | "create" | "replace">;
  readonly from: string;
  readonly to: string;
  /** Whether a Secret with another value in `to` is overwritten. */
  readonly overwrite: boolean;
  /** Whether the API server checks everything but stores nothing. */
  readonly dryRun: boolean;
}

/** The result for one Secret: `differs` means that it has another value in `to`, which was left as it is. */
export interface CopiedSecret {
  readonly id: SecretId;
  readonly outcome: "copied" | "overwritten" | "unchanged" | "differs";
}

/**
 * Copies all managed Secrets of a namespace to another one by one, and yields the result for each. Existing Secrets are
 * left as they are, so it can be repeated; nothing is deleted. A copy has no marks of tools that manage the original,
 * because Argo CD would prune it. Secrets that hold no secret are skipped. Throws on the first call that the API server
 * refuses.
 */
export async function* copyManagedSecrets(options: CopyManagedSecretsOptions): AsyncGenerator<CopiedSecret> {
  const { client, from } = options;
  let next: string | undefined;
  let limit = PAGE;
  do {
    const query = { namespace: from, labelSelector: MANAGED_SELECTOR, limit, continue: next };
    const page = await client.list(SECRETS, query);
    for (const secret of page.items) {
      const id = managedId(secret);
      if (id !== undefined) yield { id, outcome: await copy(secret, options) };
    }
    next = page.continue;
    limit = nextLimit(page, PAGE);
  } while (next !== undefined);
}

async function copy(secret: KubeSecret, options: CopyManagedSecretsOptions): Promise<CopiedSecret["outcome"]> {
  const { client, to, overwrite, dryRun } = options;
  const { name, labels, annotations } = secret.metadata;
  const { type, immutable, data } = secret;
  const metadata = {
    namespace: to,
    name,
    ...(labels && { labels: withoutMarks(labels) }),
    ...(annotations && { annotations: withoutMarks(annotations) }),
  };
  const wanted: KubeSecret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata,
    ...(type !== undefined && { type }),
    ...(data && { data }),
  };
  const existing = await client.get(SECRETS, { namespace: to, name });
  if (existing === undefined) {
    try {
      await client.create(SECRETS, { ...wanted, ...(immutable !== undefined && { immutable }) }, { dryRun });
      return "copied";
    } catch (error) {
      // Created a moment ago by the service that serves there: its value is newer.
      if (isSecretsError(error, "already_exists")) return "differs";
      throw error;
    }
  }
  if (isDeepStrictEqual(existing.data, data)) return "unchanged";
  if (!overwrite) return "differs";
  await client.replace(SECRETS, { ...wanted, metadata: { ...existing.metadata, ...metadata } }, { dryRun });
  return "overwritten";
}
