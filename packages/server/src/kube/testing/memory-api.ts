import { isDeepStrictEqual } from "node:util";
import { SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "../kube-client.ts";
import type { KubeObject } from "../kube-object.ts";
import type { KubeWatchEvent } from "../watch-events.ts";

/** Objects of one kind as an API server keeps them: versions, conflicts, watches. For tests in which time is moved by hand. */
export interface MemoryApi {
  readonly client: Pick<KubeClient, "get" | "list" | "watch" | "create" | "replace" | "patch" | "delete">;
  /** What the client wrote, in order. */
  readonly writes: readonly KubeObject[];
  /** While set, every write of the client throws it. */
  failure: SecretsError | undefined;
  read(name: string): KubeObject | undefined;
  /** As somebody else. */
  put<T extends KubeObject>(object: T): void;
  remove(name: string): void;
}

export function createMemoryApi(): MemoryApi {
  const objects = new Map<string, KubeObject>();
  const history: { version: number; type: "ADDED" | "MODIFIED" | "DELETED"; object: KubeObject }[] = [];
  const wakers = new Set<() => void>();
  const writes: KubeObject[] = [];
  let version = 1;

  const record = (type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject) => {
    version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    if (type === "DELETED") objects.delete(object.metadata.name);
    else objects.set(object.metadata.name, stored);
    history.push({ version, type, object: stored });
    for (const wake of wakers) wake();
    return stored;
  };
  const put = (object: KubeObject) => {
    const old = objects.get(object.metadata.name);
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

  const api: MemoryApi = {
    writes,
    failure: undefined,
    read: (name) => objects.get(name),
    put: (object) => void put(object),
    remove(name) {
      const old = objects.get(name);
      if (old !== undefined) record("DELETED", old);
    },
    client: {
      async get(resource, { name = "" }) {
        const object = objects.get(name);
        return object && resource.decode(object);
      },
      list: async (resource) => ({
        items: [...objects.values()].map((object) => resource.decode(object)),
        resourceVersion: String(version),
      }),
      async *watch<T extends KubeObject>(
        resource: { decode(value: unknown): T },
        query: { resourceVersion: string },
        options: { signal?: AbortSignal | undefined } = {},
      ): AsyncGenerator<KubeWatchEvent<T>> {
        const { signal } = options;
        let seen = Number(query.resourceVersion);
        yield { type: "OPENED" };
        while (signal?.aborted !== true) {
          for (const { version: resourceVersion, type, object } of history.filter((event) => event.version > seen)) {
            seen = resourceVersion;
            yield { type, object: resource.decode(object), resourceVersion: String(resourceVersion) };
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
        if (objects.has(object.metadata.name)) throw new SecretsError("already_exists", "it exists already");
        return resource.decode(write(object));
      },
      async replace(resource, object) {
        const old = objects.get(object.metadata.name);
        if (old === undefined) throw new SecretsError("not_found", "it does not exist");
        assertVersion(old, object.metadata.resourceVersion);
        return resource.decode(write(object));
      },
      async patch(resource, { name = "", patch }) {
        const old = objects.get(name);
        if (old === undefined) throw new SecretsError("not_found", "it does not exist");
        const merged = mergePatch(old, patch);
        assertVersion(old, resource.decode(merged).metadata.resourceVersion);
        return resource.decode(write(resource.decode(merged)));
      },
      async delete(_resource, { name = "", preconditions }) {
        const old = objects.get(name);
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
