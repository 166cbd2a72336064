import type { Config } from "@flyte-secrets/config";
import { certificateRights, type NeededRights, sharedKeyRights } from "@flyte-secrets/kube";

/**
 * The rights without which the service of this configuration can't do its work. `namespace` is that of service and
 * webhook.
 */
export function serviceRights({ secret, webhook }: Config, namespace: string): NeededRights[] {
  const { tls } = secret.server;
  const { cacheInvalidationTokenFile: file, cacheInvalidationTokenSecret: name } = webhook;
  return [
    ...storeRights(secret),
    ...(tls.secretName === "" || tls.certFile !== "" ? [] : certificateRights("service", namespace, tls.secretName)),
    ...(name === "" || file !== ""
      ? []
      : sharedKeyRights("service", { namespace, name, purpose: "keep the token of /invalidate-secret" })),
  ];
}

/** Those without which secrets can't be kept in a cluster, in its own and in `otherClusters`. */
export function storeRights({ store, kubernetes, imagePullNamespace }: Config["secret"]): NeededRights[] {
  if (store.type === "Embedded") return [];
  const keep = { component: "service", group: "", resource: "secrets", purpose: "keep the secrets" } as const;
  const write = ["create", "get", "update", "delete"];
  const { namespace } = kubernetes;
  // Without this right it reads from the API server what it would have in memory.
  const follow = { ...keep, verbs: ["watch"], namespace, purpose: "answer from memory", isOptional: true };
  const mirror = { ...keep, verbs: write, namespace: imagePullNamespace, purpose: "keep image-pull secrets" };
  return [
    { ...keep, verbs: [...write, "list"], namespace },
    ...(kubernetes.consistency === "eventual" ? [follow] : []),
    ...(imagePullNamespace === namespace ? [] : [mirror]),
  ];
}
