import { INJECT_LABEL, REQUEST_ANNOTATION_PREFIX } from "@flyte-secrets/core";
import { defineResource, type KubeClient, type KubeObject } from "@flyte-secrets/kube";
import { checkPods } from "../check-pods.ts";
import { type Finding, note } from "../finding.ts";

interface AnyPod extends KubeObject {
  readonly [field: string]: unknown;
}

const PODS = defineResource<AnyPod>({ apiVersion: "v1", kind: "Pod", plural: "pods" });
const PAGE = 500;

/** Pods without our label are most of a cluster, and each comes whole. */
const MAX_UNLABELLED = 10_000;

/**
 * The pods of all namespaces that should have been sent to the webhook: by their label, or by what they ask for without it.
 */
export async function checkPodsOf(client: Pick<KubeClient, "list">): Promise<Finding[]> {
  const labelled = await listPods(client, `${INJECT_LABEL}=true`, { keep: () => true });
  const unlabelled = await listPods(client, `${INJECT_LABEL}!=true`, { keep: asks, max: MAX_UNLABELLED });
  const findings = checkPods([...labelled.pods, ...unlabelled.pods]);
  if (unlabelled.isWhole) return findings;
  const rest = `of the pods without label ${INJECT_LABEL} the first ${MAX_UNLABELLED} were looked at; --pods looks at any`;
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
  let seen = 0;
  do {
    const page = await client.list(PODS, { labelSelector, limit: PAGE, continue: next });
    pods.push(...page.items.filter(keep));
    seen += page.items.length;
    next = page.continue;
  } while (next !== undefined && seen < max);
  return { pods, isWhole: next === undefined };
}
