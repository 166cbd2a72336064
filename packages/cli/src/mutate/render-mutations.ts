import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { objectTitle } from "../manifests/pod-in-object.ts";
import { type KubernetesObject, printManifests } from "../manifests/read-manifests.ts";
import type { MutatedObject } from "./mutate-object.ts";

export const MUTATION_FORMATS = ["diff", "yaml", "json", "patch"] as const;
export type MutationFormat = (typeof MUTATION_FORMATS)[number];

type Shown = Exclude<MutatedObject, { outcome: "rejected" }>;

/**
 * What would come out of the cluster's admission: each object behind the Secrets that are written for it. Ends with a
 * line feed.
 */
export function renderMutations(mutations: readonly Shown[], format: MutationFormat): string {
  switch (format) {
    case "diff":
      return mutations.map(toDiff).join("");
    case "patch":
      return mutations.map((one) => (one.outcome === "changed" ? toJson(one.patch) : "")).join("");
    case "yaml":
      return printManifests(mutations.flatMap(toObjects));
    case "json": {
      const objects = mutations.flatMap(toObjects);
      return toJson(objects.length === 1 ? objects[0] : { apiVersion: "v1", kind: "List", items: objects });
    }
  }
}

function toObjects(mutation: Shown): KubernetesObject[] {
  return mutation.outcome === "changed" ? [...mutation.secrets, mutation.object] : [mutation.object];
}

function toDiff(mutation: Shown): string {
  if (mutation.outcome === "unchanged") return "";
  const { title, before, object, secrets } = mutation;
  const added = secrets.map((secret) => {
    const name = objectTitle(secret, "");
    return unifiedDiff({ from: "/dev/null", to: name, before: "", after: printManifests([secret]) });
  });
  const changed = unifiedDiff({
    from: title,
    to: title,
    before: printManifests([before]),
    after: printManifests([object]),
  });
  return [...added, changed].join("");
}

function unifiedDiff({ from, to, before, after }: Record<"from" | "to" | "before" | "after", string>): string {
  return createTwoFilesPatch(from, to, before, after, undefined, undefined, { headerOptions: FILE_HEADERS_ONLY });
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
