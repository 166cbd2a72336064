import {
  fromRequestAnnotations,
  isSecretsError,
  type MaybePromise,
  MountRequirement,
  type PodLimits,
  type SecretRequest,
  type SecretsError,
} from "@flyte-secrets/core";
import type { Claim, InjectContext, Pod } from "@flyte-secrets/inject";
import { type MutatePodOptions, mutatePod } from "@flyte-secrets/webhook";
import { isSent, objectTitle, type PodInObject, podsInObject } from "../manifests/pod-in-object.ts";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import { withSparkPods } from "../manifests/spark-pods.ts";
import { toRejectedPodError, UNKNOWN_CREATOR } from "../mutate/local-admission.ts";
import { type ExplainOptions, type Explanation, explainRequest } from "./explain-request.ts";

/** One request of a pod, and what the secret managers make of it. */
export interface ExplainedRequest {
  /** Whose it is: `Pod shop-dev/train`. */
  readonly object: string;
  readonly request: Omit<SecretRequest, "mountRequirement"> & { readonly mountRequirement: string };
  readonly managers: readonly Explanation[];
  /** False for a pod without the label, which is not sent to the webhook. */
  readonly sent: boolean;
}

export interface ExplainPodsOptions extends Omit<ExplainOptions, "context"> {
  readonly variables: InjectContext["variables"];
  /** `webhook.limits`. */
  readonly limits: PodLimits;
  /** The claim of each pod. */
  readonly claimOf: (pod: Pod, namespace: string) => MaybePromise<Claim | undefined>;
  /** What becomes of a pod as a whole. */
  readonly admission: MutatePodOptions;
  /** For objects that name no namespace. */
  readonly namespace: string;
}

export interface ExplainedPods {
  readonly requests: readonly ExplainedRequest[];
  /** Why pods would be rejected of which each request by itself is served. */
  readonly rejections: readonly SecretsError[];
}

/**
 * Explains every request of every pod, those in templates included, in their order. Throws as `fromRequestAnnotations`
 * does for one that is none. Where a value can't be read, it throws what the webhook rejects the pod with: that may be
 * another fault, which the webhook comes upon first.
 */
export async function explainPods(
  objects: readonly KubernetesObject[],
  { variables, limits, claimOf, admission, namespace, ...options }: ExplainPodsOptions,
): Promise<ExplainedPods> {
  const requests: ExplainedRequest[] = [];
  const rejections: SecretsError[] = [];
  const pods = objects
    .flatMap(withSparkPods)
    .flatMap((object) => podsInObject(object, namespace).map((one) => ({ object, ...one })));
  for (const { object, ...found } of pods) {
    const { labels, annotations } = found.pod.metadata ?? {};
    const claim = await claimOf(found.pod, found.namespace);
    const context = { labels: labels ?? {}, namespace: found.namespace, variables, claim };
    const title = podTitle(object, found, namespace);
    const sent = isSent(found.pod);
    let served = true;
    for (const request of fromRequestAnnotations(annotations ?? {}, limits)) {
      const managers = await explainRequest(request, { ...options, context }).catch((error) =>
        failAsWebhook(error, found, admission),
      );
      requests.push({ object: title, request: toPrintable(request), managers, sent });
      served &&= isServed(managers);
    }
    const rejection = served && sent ? await rejectionOf(title, found, admission) : undefined;
    if (rejection) rejections.push(rejection);
  }
  return { requests, rejections };
}

/** Tells the templates of one object apart. */
function podTitle(object: KubernetesObject, { pointer }: PodInObject, namespace: string): string {
  const title = objectTitle(object, namespace);
  return podsInObject(object, namespace).length > 1 ? `${title} at ${pointer}` : title;
}

/** Whether one of the managers serves the request. */
export function isServed(explanations: readonly Explanation[]): boolean {
  return explanations.some(({ outcome }) => outcome === "serves");
}

/** Whether it was looked for in vain, and nothing else stands in the way. */
export function isNowhere(explanations: readonly Explanation[]): boolean {
  const places = explanations.flatMap((one) => (one.outcome === "passes" ? one.places : []));
  return !isServed(explanations) && places.length > 0 && !places.some(({ found }) => found);
}

async function failAsWebhook(
  error: unknown,
  { pod, namespace }: PodInObject,
  admission: MutatePodOptions,
): Promise<never> {
  await mutatePod({ pod, namespace, creator: UNKNOWN_CREATOR }, admission, { dryRun: true });
  // It can be read by now.
  throw error;
}

/** Why the webhook would reject a pod; undefined when it wouldn't. `title` is how the message calls it. */
export async function rejectionOf(
  title: string,
  { pod, namespace }: Pick<PodInObject, "pod" | "namespace">,
  admission: MutatePodOptions,
): Promise<SecretsError | undefined> {
  try {
    await mutatePod({ pod, namespace, creator: UNKNOWN_CREATOR }, admission, { dryRun: true });
    return undefined;
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    return toRejectedPodError(title, error);
  }
}

function toPrintable(request: SecretRequest): ExplainedRequest["request"] {
  const [name] = Object.entries(MountRequirement).find(([, value]) => value === request.mountRequirement) ?? [];
  return { ...request, mountRequirement: name ?? String(request.mountRequirement) };
}
