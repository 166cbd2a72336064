import { type Injection, type InjectorEdit, SECRETS_DIRECTORY } from "@flyte-secrets/inject";
import type { Place } from "./place.ts";

/** Something that comes into a pod. */
export interface InjectedThing {
  readonly kind: "variable" | "file" | "init container" | "annotation" | "volume";
  /** The path of a file; with a variable or annotation that is no secret, its value too: `NAME=value`. */
  readonly name: string;
}

type Injected = Extract<Injection, { injected: true }>;

/** What an injector wants done, without any value, each thing once. Where a value lies is the delivery's business. */
export function injectedThings({ edits, readLater }: Injected): InjectedThing[] {
  const things = new Map<string, InjectedThing>();
  for (const edit of edits) {
    const thing = toThing(edit);
    if (thing) things.set(`${thing.kind} ${thing.name}`, thing);
  }
  return [...(readLater ? [{ kind: "file", name: readLater.file } as const] : []), ...things.values()];
}

/** Where the pod will look for what the manager itself doesn't read. */
export function laterPlaces(manager: string, { edits, readLater }: Injected): Place[] {
  const references = edits.flatMap((edit) => {
    if (!("source" in edit)) return [];
    if (edit.source.kind === "reference") return [edit.source.reference];
    return edit.source.location ? [edit.source.location] : [];
  });
  const names = new Set(references.map(({ name, key }) => `${name} key ${key}`));
  const secrets = [...names].map((name) => ({ kind: "Kubernetes Secret", name }));
  return readLater ? [...secrets, { kind: `${manager} secret`, name: readLater.secret }] : secrets;
}

function toThing(edit: InjectorEdit): InjectedThing | undefined {
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
