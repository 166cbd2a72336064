import { isObject } from "@flyte-secrets/core";
import type { KubernetesObject } from "./read-manifests.ts";

/** The parts of a Spark application that are pods, and what Spark calls their containers. */
const PARTS = [
  { part: "driver", container: "spark-kubernetes-driver" },
  { part: "executor", container: "spark-kubernetes-executor" },
] as const;

/**
 * Returns an object, or instead of a SparkApplication the pods that Spark creates for its driver and executors. They
 * have labels, annotations and variables but no template
 * (https://www.kubeflow.org/docs/components/spark-operator/reference/api-docs/); if a part has a template, its pod is
 * created from that.
 */
export function withSparkPods(object: KubernetesObject): KubernetesObject[] {
  const application = applicationOf(object);
  if (application === undefined) return [object];
  const pods = PARTS.flatMap(({ part, container }) => {
    const spec = application[part];
    return isObject(spec) ? [toPod(object, { part, container, spec })] : [];
  });
  return pods.length > 0 ? pods : [object];
}

function applicationOf({ kind, spec }: KubernetesObject): KubernetesObject | undefined {
  if (!isObject(spec)) return undefined;
  if (kind === "SparkApplication") return spec;
  return kind === "ScheduledSparkApplication" && isObject(spec.template) ? spec.template : undefined;
}

interface Part {
  readonly part: string;
  readonly container: string;
  readonly spec: KubernetesObject;
}

function toPod({ metadata }: KubernetesObject, { part, container, spec }: Part): KubernetesObject {
  const { name = "spark", namespace } = isObject(metadata) ? metadata : {};
  const { labels, annotations, env, volumeMounts } = spec;
  const template = isObject(spec.template) ? spec.template : {};
  const own = isObject(template.metadata) ? template.metadata : {};
  const inTemplate = isObject(template.spec) ? template.spec : {};
  const containers =
    Array.isArray(inTemplate.containers) && inTemplate.containers.length > 0
      ? inTemplate.containers
      : [{ name: container, ...(env !== undefined && { env }), ...(volumeMounts !== undefined && { volumeMounts }) }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-${part}`,
      ...(namespace !== undefined && { namespace }),
      labels: joined(own.labels, labels),
      annotations: joined(own.annotations, annotations),
    },
    spec: { ...inTemplate, containers },
  };
}

function joined(...parts: readonly unknown[]): Record<string, unknown> {
  return Object.assign({}, ...parts.filter(isObject));
}
