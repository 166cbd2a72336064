import {
  type Awaitable,
  type Claim,
  fromRequestAnnotations,
  type InjectContext,
  MountRequirement,
  type Pod,
  type PodLimits,
  type SecretRequest,
} from "@flyte-secrets/core";
import { isSent, objectTitle, podInObject } from "../manifests/pod-in-object.ts";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import { type ExplainOptions, type Explanation, explainRequest } from "./explain-request.ts";

/** One request of a pod, and what the secret managers make of it. */
export interface ExplainedRequest {
  /** Whose it is: `Pod shop-dev/train`. */
  readonly object: string;
  readonly request: Omit<SecretRequest, "mountRequirement"> & { readonly mountRequirement: string };
  readonly managers: readonly Explanation[];
  /** False for a pod without the label by which the webhook is asked at all. */
  readonly sent: boolean;
}

export interface ExplainPodsOptions extends Omit<ExplainOptions, "context"> {
  readonly variables: InjectContext["variables"];
  /** `webhook.limits`. */
  readonly limits: PodLimits;
  /** The claim of each pod. */
  readonly claimOf: (pod: Pod, namespace: string) => Awaitable<Claim | undefined>;
  /** For objects that name no namespace. */
  readonly namespace: string;
}

/** Explains every request of every pod, those in templates included, in their order. Throws as `fromRequestAnnotations` does for one that is none. */
export async function explainPods(
  objects: readonly KubernetesObject[],
  { variables, limits, claimOf, namespace, ...options }: ExplainPodsOptions,
): Promise<ExplainedRequest[]> {
  const explained: ExplainedRequest[] = [];
  for (const object of objects) {
    const found = podInObject(object, namespace);
    if (!found) continue;
    const { labels, annotations } = found.pod.metadata ?? {};
    const claim = await claimOf(found.pod, found.namespace);
    const context = { labels: labels ?? {}, namespace: found.namespace, variables, claim };
    for (const request of fromRequestAnnotations(annotations ?? {}, limits)) {
      const managers = await explainRequest(request, { ...options, context });
      const title = objectTitle(object, namespace);
      explained.push({ object: title, request: toPrintable(request), managers, sent: isSent(found.pod) });
    }
  }
  return explained;
}

function toPrintable(request: SecretRequest): ExplainedRequest["request"] {
  const [name] = Object.entries(MountRequirement).find(([, value]) => value === request.mountRequirement) ?? [];
  return { ...request, mountRequirement: name ?? String(request.mountRequirement) };
}
