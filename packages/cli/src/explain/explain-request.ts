import type { SecretRequest } from "@flyte-secrets/core";
import {
  type InjectContext,
  type Injection,
  type Injector,
  type InjectorEdit,
  SECRETS_DIRECTORY,
} from "@flyte-secrets/inject";

/** One place where a manager looked, or where the pod will, and whether the secret was there. */
export interface SearchedPlace {
  /**
   * `project`, `domain` or `global` scope; `variable` or `file` of the Global manager; `Kubernetes Secret`; `AWS
   * secret` and the like.
   */
  readonly kind: string;
  /** The encoded id, the variable's or file's name, or what the place itself calls the secret. */
  readonly name: string;
  /** Absent where the pod reads it when it starts, so that it isn't known yet. */
  readonly found?: boolean;
}

/** What one secret manager makes of a request. */
export type Explanation =
  | {
      readonly manager: string;
      readonly outcome: "serves";
      readonly places: readonly SearchedPlace[];
      /** What comes into the pod's containers. */
      readonly injects: readonly InjectedItem[];
    }
  | {
      readonly manager: string;
      readonly outcome: "passes";
      readonly places: readonly SearchedPlace[];
      readonly reason: string;
      /** Whether a rule about who may have the secret is the reason. */
      readonly refused?: boolean;
    }
  | { readonly manager: string; readonly outcome: "not asked" };

export interface ExplainOptions {
  /** In the order in which they are tried. */
  readonly managers: readonly Injector[];
  readonly context: InjectContext;
  /** Where the managers looked since the last call. */
  readonly takePlaces: () => SearchedPlace[];
}

/**
 * Calls the managers in order, like the mutator, and records where each looked and what it would inject. Managers after
 * the one that serves the request are not called. Throws for a broken backend, for which a pod would be rejected.
 */
export async function explainRequest(
  request: SecretRequest,
  { managers, context, takePlaces }: ExplainOptions,
): Promise<Explanation[]> {
  const explanations: Explanation[] = [];
  let served = false;
  for (const injector of managers) {
    const manager = injector.name;
    if (served) {
      explanations.push({ manager, outcome: "not asked" });
      continue;
    }
    const injection = await injector.inject(request, context);
    const places = takePlaces();
    served = injection.injected;
    if (injection.injected) {
      const injects = listInjectedItems(injection);
      explanations.push({
        manager,
        outcome: "serves",
        places: [...places, ...deferredPlaces(manager, injection)],
        injects,
      });
    } else {
      const { reason, refused } = injection;
      explanations.push({ manager, outcome: "passes", places, reason, ...(refused && { refused }) });
    }
  }
  return explanations;
}

/** Something that comes into a pod. */
export interface InjectedItem {
  readonly kind: "variable" | "file" | "init container" | "annotation" | "volume";
  /** The path of a file; with a variable or annotation that is no secret, its value too: `NAME=value`. */
  readonly name: string;
}

type Injected = Extract<Injection, { injected: true }>;

/** What an injector wants done, without any value, each thing once. Where a value lies is the delivery's business. */
export function listInjectedItems({ edits, deferredRead }: Injected): InjectedItem[] {
  const things = new Map<string, InjectedItem>();
  for (const edit of edits) {
    const thing = toThing(edit);
    if (thing) things.set(`${thing.kind} ${thing.name}`, thing);
  }
  return [...(deferredRead ? [{ kind: "file", name: deferredRead.file } as const] : []), ...things.values()];
}

/** Where the pod will look for what the manager itself doesn't read. */
export function deferredPlaces(manager: string, { edits, deferredRead }: Injected): SearchedPlace[] {
  const references = edits.flatMap((edit) => {
    if (!("source" in edit)) return [];
    if (edit.source.kind === "reference") return [edit.source.reference];
    return edit.source.location ? [edit.source.location] : [];
  });
  const names = new Set(references.map(({ name, key }) => `${name} key ${key}`));
  const secrets = [...names].map((name) => ({ kind: "Kubernetes Secret", name }));
  return deferredRead ? [...secrets, { kind: `${manager} secret`, name: deferredRead.secret }] : secrets;
}

function toThing(edit: InjectorEdit): InjectedItem | undefined {
  switch (edit.kind) {
    case "secretVariable":
      return { kind: "variable", name: edit.name };
    case "secretFile": {
      const directory = edit.group ? `${SECRETS_DIRECTORY}/${edit.group.directory}` : SECRETS_DIRECTORY;
      return { kind: "file", name: `${directory}/${edit.file}` };
    }
    case "env":
      return { kind: "variable", name: `${edit.variable.name}=${edit.variable.value ?? ""}` };
    case "initContainer":
      return { kind: "init container", name: `${edit.container.name}${edit.numbered ? "<n>" : ""}` };
    case "annotation":
      return { kind: "annotation", name: `${edit.name}=${edit.value}` };
    case "volume":
      return { kind: "volume", name: edit.volume.name };
    case "mount":
    case "imagePullSecret":
      return undefined;
  }
}
