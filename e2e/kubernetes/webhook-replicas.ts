import type { Cluster } from "./cluster.ts";
import { type CuttableWay, openCuttableWay } from "./cut-connections.ts";
import { openPodService, type PodService } from "./pod-service.ts";
import { type RegisteredWebhook, startRegisteredWebhook } from "./webhook-process.ts";

/** Where the webhook and the managed Secrets are. */
export const WEBHOOK_NAMESPACE = "flyte";

/** What docs/webhook.md says that a webhook needs. */
export const WEBHOOK_RULES = [
  { apiGroups: [""], resources: ["secrets"], verbs: ["create", "get", "list", "watch", "patch", "delete"] },
  { apiGroups: [""], resources: ["secrets"], resourceNames: ["webhook"], verbs: ["update"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
  {
    apiGroups: ["admissionregistration.k8s.io"],
    resources: ["mutatingwebhookconfigurations"],
    verbs: ["create", "get", "list", "patch", "update", "watch"],
  },
];

/** One of several processes of `flyte-secrets webhook` behind one address. */
export interface WebhookReplica extends RegisteredWebhook {
  /** What it calls itself in the pods that it admits: `FLYTE_SECRETS_ENV_PREFIX`. */
  readonly mark: string;
}

/** What a Deployment of the webhook and its Service are. */
export interface WebhookReplicas {
  readonly service: PodService;
  /** All that were started. */
  readonly replicas: readonly WebhookReplica[];
  /** The way of all replicas to the API server; that of the API server to them is another. */
  readonly way: CuttableWay;
  /** One more; in its place when this resolves. */
  start(): Promise<WebhookReplica>;
  /** Ends those that still run. */
  close(): Promise<void>;
}

/**
 * Starts as many, in {@link WEBHOOK_NAMESPACE}, which must be there. Pods are sent to them once the registration is in
 * force.
 */
export async function startReplicas(
  cluster: Cluster,
  { count, ...settings }: { readonly count: number; readonly [setting: string]: string | number },
): Promise<WebhookReplicas> {
  const account = { namespace: WEBHOOK_NAMESPACE, name: "webhook", rules: WEBHOOK_RULES };
  const way = await openCuttableWay(cluster, await cluster.createAccount(account));
  const service = await openPodService();
  const replicas: WebhookReplica[] = [];
  let started = 0;
  const start = async () => {
    const mark = `_R${++started}_`;
    const webhook = await startRegisteredWebhook(way.kubeconfig, {
      name: "webhook",
      "webhook.url": `https://127.0.0.1:${service.port}/mutate--v1-pod`,
      "webhook.secretEnvVarPrefix": mark,
      "executor.metricsBindAddress": "127.0.0.1:0",
      "executor.metricsSecure": "false",
      "logger.level": "warn",
      ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    });
    const replica = { ...webhook, mark };
    replicas.push(replica);
    await service.add({ port: webhook.ports.admission, probes: webhook.ports.probes });
    return replica;
  };
  await Promise.all(Array.from({ length: count }, start));
  return {
    service,
    replicas,
    way,
    start,
    async close() {
      await Promise.all(replicas.map((replica) => replica.kill()));
      await service.close();
      await way.close();
    },
  };
}
