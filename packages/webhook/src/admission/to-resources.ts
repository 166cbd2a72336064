import type { Config } from "@flyte-secrets/config";

type ResourceSettings = Config["webhook"]["gcpSecretManager"]["resources"];

/** A container's `resources` as Kubernetes takes them: without what is not set. */
export function toResources(settings: ResourceSettings): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const lists = Object.entries(settings).map(
    ([name, list]) =>
      [name, Object.fromEntries(Object.entries(list).filter(([, quantity]) => quantity !== ""))] as const,
  );
  return Object.fromEntries(lists.filter(([, list]) => Object.keys(list).length > 0));
}
