import { excerpt, quote, SecretsError } from "@flyte-secrets/core";
import type { Pod } from "./pod.ts";

/**
 * The annotation that names the containers and init containers that get secrets, separated by commas; by default all
 * (R-10).
 */
export const CONTAINERS_ANNOTATION = "flyte.secrets/containers";

/**
 * The names in a pod's {@link CONTAINERS_ANNOTATION}; undefined without that annotation, which means all containers.
 * Throws `invalid_annotation` for a name that no container of the pod has: the container that its author meant would
 * get nothing.
 */
export function namedContainers({ metadata, spec }: Pod): ReadonlySet<string> | undefined {
  const value = metadata?.annotations?.[CONTAINERS_ANNOTATION];
  if (value === undefined) return undefined;
  const there = new Set([...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = value.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !there.has(name));
  if (unknown === undefined) return new Set(names);
  throw new SecretsError(
    "invalid_annotation",
    `annotation ${CONTAINERS_ANNOTATION} names container ${quote(unknown)}, ` +
      `and the pod's are ${excerpt([...there].join(", "))}`,
  );
}
