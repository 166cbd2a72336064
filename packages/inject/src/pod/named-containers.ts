import { excerpt, quote, SecretsError } from "@flyte-secrets/core";
import type { Pod } from "./pod.ts";

/**
 * Names the containers and init containers that get a pod's secrets, separated by commas. Without it, all do.
 */
export const CONTAINERS_ANNOTATION = "flyte.secrets/containers";

/**
 * The names in a pod's {@link CONTAINERS_ANNOTATION}; undefined when it has none, which means all. Throws
 * `invalid_annotation` for a name that no container of the pod has, since its author means a container that would
 * have to do without.
 */
export function namedContainers({ metadata, spec }: Pod): ReadonlySet<string> | undefined {
  const value = metadata?.annotations?.[CONTAINERS_ANNOTATION];
  if (value === undefined) return undefined;
  const there = new Set([...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = value.split(",").map((name) => name.trim());
  const stranger = names.find((name) => !there.has(name));
  if (stranger === undefined) return new Set(names);
  throw new SecretsError(
    "invalid_annotation",
    `annotation ${CONTAINERS_ANNOTATION} names container ${quote(stranger)}, and the pod's are ${excerpt([...there].join(", "))}`,
  );
}
