import type { Config } from "@flyte-secrets/config";
import type { KubeClient } from "@flyte-secrets/kube";
import { storeRights } from "../../configured/service-rights.ts";
import { checkClock, type Finding } from "../finding.ts";
import { runCheck } from "./check-cluster.ts";
import { checkManagedSecrets, checkNamespace } from "./check-namespaces.ts";
import { checkRights } from "./check-rights.ts";

export interface OtherClustersOptions {
  readonly config: Config;
  /** A client of the cluster that this kubeconfig names; throws as `connectAnyCluster` does. */
  connect(kubeconfig: string): KubeClient;
}

/**
 * Whether the store can be kept in each of `secret.kubernetes.otherClusters` too, with the rights of its own
 * kubeconfig. What is found begins with the cluster's name.
 */
export async function checkOtherClusters({ config, connect }: OtherClustersOptions): Promise<Finding[]> {
  const { store, kubernetes } = config.secret;
  if (store.type !== "Kubernetes") return [];
  const others = Object.entries(kubernetes.otherClusters).map(async ([name, kubeconfig]) => {
    const { findings } = await runCheck("the API server", () => checkOne(config, connect, kubeconfig));
    return findings.map((finding) => ({ ...finding, what: `cluster ${name}: ${finding.what}` }));
  });
  return (await Promise.all(others)).flat();
}

async function checkOne({ secret }: Config, connect: OtherClustersOptions["connect"], kubeconfig: string) {
  const client = connect(kubeconfig);
  try {
    const { headers } = await client.request("GET", "/version");
    const namespaces = new Map([
      [secret.imagePullNamespace, "secret.imagePullNamespace"],
      [secret.kubernetes.namespace, "secret.kubernetes.namespace"],
    ]);
    const looks = await Promise.all([
      ...[...namespaces].map(([used, setting]) =>
        runCheck(`namespace ${used}`, () => checkNamespace(client, used, setting)),
      ),
      runCheck(`the Secrets of namespace ${secret.kubernetes.namespace}`, () =>
        checkManagedSecrets(client, secret.kubernetes.namespace),
      ),
      runCheck("rights", () => checkRights({ client, needed: storeRights(secret), account: undefined })),
    ]);
    const findings = looks.flatMap((each) => each.findings);
    return [checkClock("the API server", headers.date), ...findings.filter(({ what }) => !what.startsWith("--as "))];
  } finally {
    client.close();
  }
}
