import { isDeepStrictEqual } from "node:util";
import { isSecretsError, type SecretId } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { SECRETS, type Secret } from "@flyte-secrets/kube";
import { withoutMarks } from "./foreign-owner.ts";
import { MANAGED_SELECTOR, managedId } from "./managed-secret.ts";

const PAGE = 100;

export interface CopySecretsOptions {
  readonly client: Pick<KubeClient, "get" | "list" | "create" | "replace">;
  readonly from: string;
  readonly to: string;
  /** Whether a Secret that has another value in `to` gets that of `from`. */
  readonly overwrite: boolean;
  /** The API server does everything but keep what is written. */
  readonly dryRun: boolean;
}

/** What became of one Secret: `differs` has another value in the new place, and keeps it. */
export interface CopiedSecret {
  readonly id: SecretId;
  readonly outcome: "copied" | "overwritten" | "unchanged" | "differs";
}

/**
 * Copies all managed Secrets of a namespace to another, one after the other, and tells of each. What is there already is
 * left, so it can be repeated; nothing is deleted. A copy has no marks of tools that keep the original: Argo CD would take
 * it for its own, and prune it. A Secret that holds no secret is passed over. Throws what the API server refuses, after what
 * was told of.
 */
export async function* copyManagedSecrets(options: CopySecretsOptions): AsyncGenerator<CopiedSecret> {
  const { client, from } = options;
  let next: string | undefined;
  do {
    const page = await client.list(SECRETS, {
      namespace: from,
      labelSelector: MANAGED_SELECTOR,
      limit: PAGE,
      continue: next,
    });
    for (const secret of page.items) {
      const id = managedId(secret);
      if (id !== undefined) yield { id, outcome: await copy(secret, options) };
    }
    next = page.continue;
  } while (next !== undefined);
}

async function copy(secret: Secret, options: CopySecretsOptions): Promise<CopiedSecret["outcome"]> {
  const { client, to, overwrite, dryRun } = options;
  const { name, labels, annotations } = secret.metadata;
  const { type, immutable, data } = secret;
  const metadata = {
    namespace: to,
    name,
    ...(labels && { labels: withoutMarks(labels) }),
    ...(annotations && { annotations: withoutMarks(annotations) }),
  };
  const wanted: Secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata,
    ...(type !== undefined && { type }),
    ...(data && { data }),
  };
  const there = await client.get(SECRETS, { namespace: to, name });
  if (there === undefined) {
    try {
      await client.create(SECRETS, { ...wanted, ...(immutable !== undefined && { immutable }) }, { dryRun });
      return "copied";
    } catch (error) {
      // Made by the service that serves there, a moment ago: what it has is newer.
      if (isSecretsError(error, "already_exists")) return "differs";
      throw error;
    }
  }
  if (isDeepStrictEqual(there.data, data)) return "unchanged";
  if (!overwrite) return "differs";
  await client.replace(SECRETS, { ...wanted, metadata: { ...there.metadata, ...metadata } }, { dryRun });
  return "overwritten";
}
