import { createHash } from "node:crypto";
import type { SecretRequest } from "@flyte-secrets/core";

/** The group in the names that the K8s manager gives things: that of the request, or MD5 of its key. */
export function kubernetesGroup({ group, key }: Pick<SecretRequest, "group" | "key">): string {
  return group || createHash("md5").update(key).digest("hex");
}
