import { Agent } from "node:https";
import type { SecretRequest } from "@flyte-secrets/core";
import { type KubeClient, SECRETS } from "@flyte-secrets/kube";
import { podReview, postPod, taskPod } from "@flyte-secrets/webhook/testing";
import { WEBHOOK_NAMESPACE, type WebhookReplica } from "./webhook-replicas.ts";

/** The pods' project and domain, and their namespace. */
export const REVIEWED = { org: "flyte", project: "p", domain: "d", namespace: "p-d" };

/** Sends reviews to one replica of the webhook, as the API server does, over one connection. */
export interface DirectReviews {
  /** The edited pod's Secrets, as text of the patch; throws with the answer of a pod that is not let in. */
  admit(): Promise<string>;
  close(): void;
}

/** For pods that ask for these secrets. */
export async function openDirectReviews(
  client: KubeClient,
  { ports }: Pick<WebhookReplica, "ports">,
  requests: readonly SecretRequest[],
): Promise<DirectReviews> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const target = { port: ports.admission, ca: await readCa(client), agent };
  const review = podReview(taskPod(requests));
  return { admit: () => postPod(target, review), close: () => agent.destroy() };
}

/** What the webhook's certificate is checked by. */
export async function readCa(client: KubeClient): Promise<string> {
  const secret = await client.get(SECRETS, { namespace: WEBHOOK_NAMESPACE, name: "webhook" });
  return Buffer.from(secret?.data?.["ca.crt"] ?? "", "base64").toString();
}

/** What lies in a namespace in Secrets of the webhook, as texts by the Secret's name: one each. */
export async function readWritten(client: KubeClient, namespace: string): Promise<ReadonlyMap<string, string>> {
  const labelSelector = "app.flyte.org/managed-by=flyte-secrets-webhook";
  const { items } = await client.list(SECRETS, { namespace, labelSelector });
  const textOf = (data: Readonly<Record<string, string>> = {}) =>
    Object.values(data).map((value) => Buffer.from(value, "base64").toString());
  return new Map(items.map(({ metadata, data }) => [metadata.name, textOf(data).join(",")]));
}

/** The Secret of the webhook that a patch refers to. */
export function writtenName(patch: string): string {
  return /flyte-secrets-[0-9a-f]{32}/.exec(patch)?.[0] ?? "";
}
