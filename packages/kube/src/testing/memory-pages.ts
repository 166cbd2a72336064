import { SecretsError } from "@flyte-secrets/core";
import type { ListOptions, ObjectList } from "../client.ts";
import type { KubeObject } from "../objects.ts";
import { isSelected } from "./memory-objects.ts";

interface State {
  /** By the key that orders them. */
  readonly all: ReadonlyMap<string, KubeObject>;
  readonly version: number;
}

/**
 * Lists as an API server pages them: in the order of keys, no more than `limit` that are selected a page, and the later
 * pages from the state that the first one saw. A made-up place is refused.
 */
export function createMemoryPages(): { page(state: State, query: ListOptions): ObjectList<KubeObject> } {
  const begun = new Map<string, State>();
  return {
    page(now, query) {
      const [version, ...rest] = query.continue?.split(" ") ?? [String(now.version), ""];
      const after = rest.join(" ");
      const state = query.continue === undefined ? now : begun.get(version ?? "");
      if (state === undefined) throw new SecretsError("invalid_argument", "the place in the list is none of ours");
      const selected = [...state.all]
        .filter(([key, object]) => key > after && isSelected(object, query))
        .toSorted(([one], [other]) => (one < other ? -1 : 1));
      const page = selected.slice(0, query.limit || selected.length);
      const resourceVersion = String(state.version);
      const items = page.map(([, object]) => object);
      if (page.length === selected.length) return { items, resourceVersion };
      begun.set(resourceVersion, state);
      return { items, resourceVersion, continue: `${resourceVersion} ${page.at(-1)?.[0]}` };
    },
  };
}
