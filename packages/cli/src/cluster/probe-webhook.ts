import { INJECT_LABEL, isSecretsError } from "@flyte-secrets/core";
import { defineResource, type KubeClient, type KubeObject, statusCauseOf } from "@flyte-secrets/kube";
import { SERVED_CERTIFICATE } from "@flyte-secrets/webhook";

interface ProbePod extends KubeObject {
  readonly spec: object;
}

const PODS = defineResource<ProbePod>({ apiVersion: "v1", kind: "Pod", plural: "pods" });

/** Whether the API server called the webhook about a pod of this namespace. */
export type WebhookProbe =
  | { readonly asked: false }
  /** `served`: SHA-256 of the certificate that new connections get; absent if its version does not report it. */
  | { readonly asked: true; readonly served: string | undefined };

const SHA256 = /^[0-9A-F]{2}(?::[0-9A-F]{2}){31}$/;

/**
 * Creates, as a dry run, a pod with an invalid annotation, which the webhook must reject. Nothing is created. Throws
 * `store_unavailable` or `deadline_exceeded` when the API server gets no answer, else what the client throws.
 */
export async function probeWebhook(client: Pick<KubeClient, "create">, namespace: string): Promise<WebhookProbe> {
  const pod: ProbePod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "flyte-secrets-doctor",
      namespace,
      labels: { [INJECT_LABEL]: "true" },
      annotations: { "flyte.secrets/s0": "!" },
    },
    spec: { containers: [{ name: "probe", image: "probe" }] },
  };
  try {
    await client.create(PODS, pod, { dryRun: true });
    return { asked: false };
  } catch (error) {
    if (!isSecretsError(error, "invalid_argument")) throw error;
    const served = statusCauseOf(error, SERVED_CERTIFICATE);
    return { asked: true, served: served !== undefined && SHA256.test(served) ? served : undefined };
  }
}
