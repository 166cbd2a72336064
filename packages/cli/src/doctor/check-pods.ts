import { INJECT_LABEL, REQUEST_ANNOTATION_PREFIX, type SecretRequest } from "@flyte-secrets/core";
import { detectMissedInjection, type MissedInjection, type Pod } from "@flyte-secrets/inject";
import { defineResource, type KubeClient, type KubeObject, nextLimit } from "@flyte-secrets/kube";
import { objectTitle, podsInObject } from "../manifests/pod-in-object.ts";
import type { KubernetesObject } from "../manifests/read-manifests.ts";
import { type Finding, note, ok, problem } from "./finding.ts";

/** Which pods of a cluster lack secrets that they were meant to have; one finding each, and one for all others. */
export function checkPods(objects: readonly KubernetesObject[]): Finding[] {
  const pods = objects.filter(({ kind }) => kind === "Pod");
  const findings = pods.flatMap((object) => {
    const missed = detectMissedInjection(podOf(object));
    return missed ? [toFinding(objectTitle(object, "default"), missed)] : [];
  });
  const right = pods.length - findings.length;
  const others = objects.length - pods.length;
  return [
    ...findings,
    ...(right > 0 ? [ok(`${count(right, "pod")} lack${right === 1 ? "s" : ""} nothing`)] : []),
    ...(others > 0 ? [ofAnotherKind(others, pods.length)] : []),
  ];
}

function ofAnotherKind(others: number, pods: number): Finding {
  const what = `${count(others, "object")} of another kind, not looked at`;
  if (pods > 0) return note(what);
  return problem(`no pod, and ${what}`, "give it pods: kubectl get pods -A -o json; mutate -f shows templates of pods");
}

function podOf(object: KubernetesObject): Pod {
  return podsInObject(object, "default")[0]?.pod ?? { spec: { containers: [] } };
}

function toFinding(title: string, missed: MissedInjection): Finding {
  const label = `${INJECT_LABEL}: "true"`;
  switch (missed.problem) {
    case "no label":
      return problem(
        `${title} asks for ${names(missed.requests)} and has no label ${label}, so the webhook was not asked`,
        "set the label on the pod, or in the template that it is made from, and make it again",
      );
    case "no requests":
      return problem(
        `${title} has the label ${label}, and no annotation says which secrets it wants`,
        "add an annotation flyte.secrets/s0 (the SDK's toPod writes them) and make it again, or take the label away",
      );
    case "bad annotation":
      return problem(
        `${title}: ${missed.reason}`,
        "correct the annotation and make the pod again; the webhook was not asked, or it would have been rejected",
      );
    case "not injected":
      return problem(
        `${title} asks for ${names(missed.requests)} and did not get it: the webhook was not asked when the pod was ` +
          "made",
        "look whether the MutatingWebhookConfiguration is there and its namespaceSelector takes in the namespace, " +
          "and make the pod again",
      );
  }
}

function names(requests: readonly SecretRequest[]): string {
  return requests.map(({ group, key }) => [group, key].filter((part) => part !== "").join("/")).join(", ");
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

interface AnyPod extends KubeObject {
  readonly [field: string]: unknown;
}

const PODS = defineResource<AnyPod>({ apiVersion: "v1", kind: "Pod", plural: "pods" });
const PAGE = 500;

/** Pods without our label are most of a cluster, and each comes whole. */
const MAX_UNLABELLED = 10_000;

/**
 * The pods of all namespaces that should have been sent to the webhook: those with its label, and those with requests
 * but without the label.
 */
export async function checkClusterPods(client: Pick<KubeClient, "list">): Promise<Finding[]> {
  const labelled = await listPods(client, `${INJECT_LABEL}=true`, { keep: () => true });
  const unlabelled = await listPods(client, `${INJECT_LABEL}!=true`, { keep: asks, max: MAX_UNLABELLED });
  const findings = checkPods([...labelled.pods, ...unlabelled.pods]);
  if (unlabelled.isWhole) return findings;
  const rest = `only the first ${MAX_UNLABELLED} pods without label ${INJECT_LABEL} were checked; --pods checks any`;
  return [...findings, note(rest)];
}

function asks({ metadata }: AnyPod): boolean {
  return Object.keys(metadata.annotations ?? {}).some((name) => name.startsWith(REQUEST_ANNOTATION_PREFIX));
}

async function listPods(
  client: Pick<KubeClient, "list">,
  labelSelector: string,
  { keep, max = Number.POSITIVE_INFINITY }: { readonly keep: (pod: AnyPod) => boolean; readonly max?: number },
): Promise<{ readonly pods: AnyPod[]; readonly isWhole: boolean }> {
  const pods: AnyPod[] = [];
  let next: string | undefined;
  let limit = PAGE;
  let seen = 0;
  do {
    const page = await client.list(PODS, { labelSelector, limit, continue: next });
    pods.push(...page.items.filter(keep));
    seen += page.items.length;
    next = page.continue;
    limit = nextLimit(page, PAGE);
  } while (next !== undefined && seen < max);
  return { pods, isWhole: next === undefined };
}
