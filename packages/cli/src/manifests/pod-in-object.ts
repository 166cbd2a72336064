import { INJECT_LABEL, isObject, isSecretsError, SecretsError } from "@flyte-secrets/core";
import { type Pod, parsePod } from "@flyte-secrets/inject";
import type { KubernetesObject } from "./read-manifests.ts";

/** The pod that an object is, or one in a template from which a controller makes pods. */
export interface PodInObject {
  readonly pod: Pod;
  /** Where it is in the object, as a JSON pointer: empty for a pod itself. */
  readonly pointer: string;
  readonly namespace: string;
}

/** Templates lie at most so deep; a pod's own lists lie deeper. */
const MAX_DEPTH = 10;
/** No object of Kubernetes is made from more templates. */
const MAX_TEMPLATES = 1_000;
/** Fields that only report a state, or belong to the object itself. */
const NO_TEMPLATES: ReadonlySet<string> = new Set(["metadata", "status"]);

/**
 * Returns the pods in an object: the object itself, or every part with the form of a pod template, as in Deployments,
 * Jobs and the kinds of Flyte's plugins (RayCluster, PyTorchJob, JobSet, Knative's Service, ...). Empty if there is
 * none. `namespace` is that of objects without one. Throws `invalid_argument`, naming object and field, for a pod with
 * a field of the wrong type.
 */
export function podsInObject(object: KubernetesObject, namespace: string): PodInObject[] {
  const own = isObject(object.metadata) ? object.metadata.namespace : undefined;
  const at = typeof own === "string" && own !== "" ? own : namespace;
  const found = object.kind === "Pod" ? [{ template: object, pointer: "" }] : templatesIn(object, "", 0);
  return found
    .slice(0, MAX_TEMPLATES)
    .map(({ template, pointer }) => ({ pod: checkPod(template, object), pointer, namespace: at }));
}

interface Template {
  readonly template: unknown;
  readonly pointer: string;
}

function templatesIn(node: unknown, pointer: string, depth: number): Template[] {
  if (depth > MAX_DEPTH || typeof node !== "object" || node === null) return [];
  if (isTemplate(node)) return [{ template: node, pointer }];
  return Object.entries(node).flatMap(([name, part]) =>
    NO_TEMPLATES.has(name) ? [] : templatesIn(part, `${pointer}/${escapePointer(name)}`, depth + 1),
  );
}

function isTemplate(node: object): boolean {
  return "spec" in node && isObject(node.spec) && "containers" in node.spec;
}

/** RFC 6901. */
function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** API groups without a dot, and those of Kubernetes itself: none of their kinds makes pods but by a template. */
const OWN_GROUP = /^(?:[a-z0-9]+|.*\.k8s\.io)$/;

/** Why nothing would become of an object in which no pod was found. */
export function explainMissingPod({ apiVersion, kind }: KubernetesObject): string {
  const [group = "", version] = typeof apiVersion === "string" ? apiVersion.split("/") : [];
  const isKnown = version === undefined || (OWN_GROUP.test(group) && !MAKERS.has(String(kind)));
  return isKnown ? "there is no pod in it" : "it has no pod template, and how its kind makes pods isn't known here";
}

/** Kinds below `k8s.io` that make pods of something else than a template. */
const MAKERS: ReadonlySet<string> = new Set(["SparkApplication", "ScheduledSparkApplication"]);

/** Whether the API server would send a pod to the webhook: the `objectSelector` of the registration. */
export function isSent({ metadata }: Pod): boolean {
  return metadata?.labels?.[INJECT_LABEL] === "true";
}

/** How messages name an object: `Pod shop-dev/app`. */
export function objectTitle(object: KubernetesObject, namespace: string): string {
  const { name, generateName, namespace: own } = isObject(object.metadata) ? object.metadata : {};
  const kind = typeof object.kind === "string" ? object.kind : "object without a kind";
  const called = name ?? (typeof generateName === "string" ? `${generateName}*` : "(without a name)");
  return `${kind} ${own ?? namespace}/${called}`;
}

function checkPod(found: unknown, object: KubernetesObject): Pod {
  try {
    return parsePod(found);
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    throw new SecretsError(error.code, `${objectTitle(object, "default")}: ${error.message}`);
  }
}
