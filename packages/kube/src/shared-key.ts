import { randomBytes } from "node:crypto";
import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "./client.ts";
import { type KubeSecret, SECRETS } from "./objects.ts";

const BYTES = 32;

export interface SharedKeyOptions {
  readonly client: Pick<KubeClient, "get" | "create" | "replace">;
  readonly namespace: string;
  /** Name of the Secret that stores the key. */
  readonly name: string;
}

/**
 * 32 random bytes that are the same for all who name this Secret: the first one makes them and keeps them there, in a
 * Secret of its own or an empty one that an installer put there. Throws `value_unreadable` when something else is in
 * that Secret.
 */
export async function openSharedKey({ client, namespace, name }: SharedKeyOptions): Promise<Uint8Array> {
  const kept = await client.get(SECRETS, { namespace, name });
  if (kept?.data !== undefined) return keyOf(kept);
  const metadata = { namespace, name, labels: { "app.kubernetes.io/managed-by": "flyte-secrets" } };
  const empty: KubeSecret = kept ?? { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata };
  const made = { ...empty, immutable: true, data: { key: randomBytes(BYTES).toString("base64") } };
  try {
    return keyOf(await (kept === undefined ? client.create(SECRETS, made) : client.replace(SECRETS, made)));
  } catch (error) {
    if (!isSecretsError(error, "already_exists", "conflict")) throw error;
    return keyOf((await client.get(SECRETS, { namespace, name })) ?? made);
  }
}

function keyOf({ metadata: { namespace, name }, data }: KubeSecret): Uint8Array {
  const key = Buffer.from(data?.key ?? "", "base64");
  if (key.length === BYTES) return key;
  throw new SecretsError(
    "value_unreadable",
    `Secret ${name} in namespace ${namespace} has no key of ${BYTES} bytes. Delete it; a new one is made at the ` +
      "next start.",
  );
}
