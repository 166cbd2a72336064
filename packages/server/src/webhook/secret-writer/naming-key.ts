import { randomBytes } from "node:crypto";
import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import type { Config } from "../../config/schema.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { SECRETS, type Secret } from "../../kube/kube-object.ts";

const BYTES = 32;

/** The Secret that keeps the key, in the webhook's namespace. */
export function namingKeySecret({ secretName }: Config["webhook"]): string {
  return `${secretName}-naming`;
}

export interface NamingKeyOptions {
  readonly client: Pick<KubeClient, "get" | "create" | "replace">;
  readonly namespace: string;
  /** Of the Secret that keeps it. */
  readonly name: string;
}

/**
 * The key by which the names of written Secrets are made, the same for all replicas: the first one makes it and keeps it in a
 * Secret, its own or an empty one that an installer put there. Throws `value_unreadable` when something else is in that Secret.
 */
export async function openNamingKey({ client, namespace, name }: NamingKeyOptions): Promise<Uint8Array> {
  const kept = await client.get(SECRETS, { namespace, name });
  if (kept?.data !== undefined) return keyOf(kept);
  const metadata = { namespace, name, labels: { "app.kubernetes.io/managed-by": "flyte-secrets" } };
  const empty: Secret = kept ?? { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata };
  const made = { ...empty, immutable: true, data: { key: randomBytes(BYTES).toString("base64") } };
  try {
    return keyOf(await (kept === undefined ? client.create(SECRETS, made) : client.replace(SECRETS, made)));
  } catch (error) {
    if (!isSecretsError(error, "already_exists", "conflict")) throw error;
    return keyOf((await client.get(SECRETS, { namespace, name })) ?? made);
  }
}

function keyOf({ metadata: { namespace, name }, data }: Secret): Uint8Array {
  const key = Buffer.from(data?.key ?? "", "base64");
  if (key.length === BYTES) return key;
  throw new SecretsError(
    "value_unreadable",
    `Secret ${name} in namespace ${namespace} has no key of ${BYTES} bytes. Delete it; a new one is made at the next start.`,
  );
}
