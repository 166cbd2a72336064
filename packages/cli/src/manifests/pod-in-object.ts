import { INJECT_LABEL, isSecretsError, type Pod, parsePod, SecretsError } from "@flyte-secrets/core";
import { isObject, type KubernetesObject } from "./read-manifests.ts";

/** The pod that an object is, or the one in the template from which a controller makes its pods. */
export interface PodInObject {
  readonly pod: Pod;
  /** Where it is in the object, as a JSON pointer: empty for a pod itself. */
  readonly pointer: string;
  readonly namespace: string;
}

/** Where the objects of Kubernetes, and of those who followed its example, have their pod template. */
const TEMPLATES = [["spec", "template"], ["spec", "jobTemplate", "spec", "template"], ["template"]] as const;

/**
 * Finds the pod in an object; undefined where there is none. `namespace` is for one that names none. Throws `invalid_argument`,
 * naming object and field, for a pod with a field of the wrong type.
 */
export function podInObject(object: KubernetesObject, namespace: string): PodInObject | undefined {
  const paths = object.kind === "Pod" ? [[]] : TEMPLATES;
  for (const path of paths) {
    const found = path.reduce<unknown>((at, field) => (isObject(at) ? at[field] : undefined), object);
    const isPod = object.kind === "Pod" || (isObject(found) && isObject(found.spec) && "containers" in found.spec);
    if (!isPod) continue;
    const pod = checkPod(found, object);
    const own = isObject(object.metadata) ? object.metadata.namespace : undefined;
    return {
      pod,
      pointer: path.map((field) => `/${field}`).join(""),
      namespace: typeof own === "string" && own !== "" ? own : namespace,
    };
  }
  return undefined;
}

/** Whether the API server would ask the webhook about a pod: `objectSelector` of the registration. */
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
