import { isDeepStrictEqual } from "node:util";
import { SecretsError } from "@flyte-secrets/core";
import type { KubeClient, KubeSelection } from "../kube-client.ts";
import type { KubeObject, KubeReference } from "../kube-object.ts";
import type { KubeWatchEvent } from "../watch-events.ts";

/** Objects of one kind as an API server keeps them: versions, conflicts, watches. For tests in which time is moved by hand. */
export interface MemoryApi {
  readonly client: Pick<KubeClient, "get" | "list" | "watch" | "create" | "replace" | "patch" | "delete">;
  /** What the client wrote, in order. */
  readonly writes: readonly KubeObject[];
  /** While set, every write of the client throws it. */
  failure: SecretsError | undefined;
  /** In any namespace, unless one is named. */
  read(name: string, namespace?: string): KubeObject | undefined;
  /** As somebody else. */
  put<T extends KubeObject>(object: T): void;
  remove(name: string, namespace?: string): void;
}

interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
}

export function createMemoryApi(): MemoryApi {
  const objects = new Map<string, KubeObject>();
  const history: Change[] = [];
  const wakers = new Set<() => void>();
  const writes: KubeObject[] = [];
  let version = 1;

  const record = (type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject) => {
    version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const key = keyOf(object.metadata);
    const before = objects.get(key);
    if (type === "DELETED") objects.delete(key);
    else objects.set(key, stored);
    history.push({ version, type, object: stored, before });
    for (const wake of wakers) wake();
    return stored;
  };
  const put = (object: KubeObject) => {
    const old = objects.get(keyOf(object.metadata));
    const { resourceVersion } = old?.metadata ?? {};
    const isSame = isDeepStrictEqual({ ...object, metadata: { ...object.metadata, resourceVersion } }, old);
    if (old !== undefined && isSame) return old;
    return record(old === undefined ? "ADDED" : "MODIFIED", object);
  };
  const write = (object: KubeObject) => {
    if (api.failure !== undefined) throw api.failure;
    writes.push(object);
    return put(object);
  };

  const find = (name: string, namespace?: string) =>
    [...objects.values()].find(
      ({ metadata }) => metadata.name === name && (namespace === undefined || metadata.namespace === namespace),
    );

  const api: MemoryApi = {
    writes,
    failure: undefined,
    read: find,
    put: (object) => void put(object),
    remove(name, namespace) {
      const old = find(name, namespace);
      if (old !== undefined) record("DELETED", old);
    },
    client: {
      async get(resource, reference) {
        const object = objects.get(keyOf(reference));
        return object && resource.decode(object);
      },
      list: async (resource, query) => ({
        items: [...objects.values()].filter((object) => isSelected(object, query)).map(resource.decode),
        resourceVersion: String(version),
      }),
      async *watch<T extends KubeObject>(
        resource: { decode(value: unknown): T },
        query: KubeSelection & { resourceVersion: string },
        options: { signal?: AbortSignal | undefined } = {},
      ): AsyncGenerator<KubeWatchEvent<T>> {
        const { signal } = options;
        let seen = Number(query.resourceVersion);
        yield { type: "OPENED" };
        while (signal?.aborted !== true) {
          for (const change of history.filter((event) => event.version > seen)) {
            seen = change.version;
            const resourceVersion = String(change.version);
            const type = typeFor(change, query);
            if (type === undefined) yield { type: "BOOKMARK", resourceVersion };
            else yield { type, object: resource.decode(change.object), resourceVersion };
          }
          await new Promise<void>((resolve) => {
            if (seen < version) return resolve();
            const wake = () => {
              wakers.delete(wake);
              resolve();
            };
            wakers.add(wake);
            signal?.addEventListener("abort", wake, { once: true });
          });
        }
        throw new SecretsError("canceled", "The caller gave up.");
      },
      async create(resource, object) {
        if (objects.has(keyOf(object.metadata))) throw new SecretsError("already_exists", "it exists already");
        return resource.decode(write(object));
      },
      async replace(resource, object) {
        const old = objects.get(keyOf(object.metadata));
        if (old === undefined) throw new SecretsError("not_found", "it does not exist");
        assertVersion(old, object.metadata.resourceVersion);
        return resource.decode(write(object));
      },
      async patch(resource, { patch, ...reference }) {
        const old = objects.get(keyOf(reference));
        if (old === undefined) throw new SecretsError("not_found", "it does not exist");
        const merged = mergePatch(old, patch);
        assertVersion(old, resource.decode(merged).metadata.resourceVersion);
        return resource.decode(write(resource.decode(merged)));
      },
      async delete(_resource, { preconditions, ...reference }) {
        const old = objects.get(keyOf(reference));
        if (api.failure !== undefined) throw api.failure;
        if (old === undefined) return false;
        assertVersion(old, preconditions?.resourceVersion);
        record("DELETED", old);
        return true;
      },
    },
  };
  return api;
}

function keyOf({ namespace = "", name = "" }: KubeReference): string {
  return `${namespace}/${name}`;
}

/** By equality alone. */
function isSelected(object: KubeObject, { namespace, labelSelector, fieldSelector }: KubeSelection): boolean {
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  const [label = "", labelValue] = labelSelector?.split("=") ?? [];
  if (labelValue !== undefined && object.metadata.labels?.[label] !== labelValue) return false;
  const [field, value] = fieldSelector?.split("=") ?? [];
  const fields = { type: "type" in object ? object.type : "", "metadata.name": object.metadata.name };
  return field === undefined || Object.entries(fields).some(([name, own]) => name === field && own === value);
}

/** What a change is to one who selects; undefined for none of theirs. */
function typeFor({ type, object, before }: Change, selection: KubeSelection): Change["type"] | undefined {
  const was = before !== undefined && isSelected(before, selection);
  if (type === "DELETED" || !isSelected(object, selection)) return was ? "DELETED" : undefined;
  return was ? "MODIFIED" : "ADDED";
}

function assertVersion({ metadata }: KubeObject, expected: string | undefined): void {
  if (expected === undefined || expected === metadata.resourceVersion) return;
  throw new SecretsError("conflict", "somebody else changed it");
}

/** RFC 7386. */
function mergePatch(target: object, patch: object): object {
  const merged: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const old = merged[key];
    if (value === undefined) continue;
    if (value === null) delete merged[key];
    else if (typeof value === "object" && !Array.isArray(value)) merged[key] = mergePatch(Object(old ?? {}), value);
    else merged[key] = value;
  }
  return merged;
}
