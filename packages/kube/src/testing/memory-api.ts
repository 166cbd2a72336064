import { isDeepStrictEqual } from "node:util";
import { SecretsError } from "@flyte-secrets/core";
import type { KubeClient, RequestOptions, Selector } from "../client.ts";
import type { KubeObject } from "../objects.ts";
import type { WatchEvent } from "../watch-events.ts";
import { assertMayBecome, assertPreconditions, isSelected, keyOf, mergePatch, stamped } from "./memory-objects.ts";
import { createMemoryPages } from "./memory-pages.ts";

/**
 * Objects as an API server keeps them: pages, versions, preconditions, watches. For tests in which time is moved by
 * hand.
 */
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
  /** Does something of which watches are not told: they end, since the place that they were at is forgotten. */
  unseen(change: () => void): void;
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
  const pages = createMemoryPages();
  const writes: KubeObject[] = [];
  let version = 1;
  let forgotten = 0;

  const record = (type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject) => {
    version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const key = keyOf(object.kind, object.metadata);
    const before = objects.get(key);
    if (type === "DELETED") objects.delete(key);
    else objects.set(key, stored);
    history.push({ version, type, object: stored, before });
    for (const wake of wakers) wake();
    return stored;
  };
  const put = (object: KubeObject) => {
    const old = objects.get(keyOf(object.kind, object.metadata));
    if (old === undefined) return record("ADDED", stamped(object, undefined));
    const { resourceVersion } = old.metadata;
    const next = stamped(object, old);
    const isSame = isDeepStrictEqual({ ...next, metadata: { ...next.metadata, resourceVersion } }, old);
    return isSame ? old : record("MODIFIED", next);
  };
  const begin = (options: RequestOptions | undefined) => {
    assertNotGivenUp(options);
    const { failure } = api;
    if (failure !== undefined) throw failure;
  };
  const write = (object: KubeObject, { dryRun = false }: RequestOptions = {}) => {
    if (dryRun) return object;
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
    unseen(change) {
      forgotten += 1;
      change();
      for (const wake of wakers) wake();
    },
    client: {
      async get(resource, reference, options) {
        assertNotGivenUp(options);
        const object = objects.get(keyOf(resource.kind, reference));
        return object && resource.decode(object);
      },
      async list(resource, query, options) {
        assertNotGivenUp(options);
        const all = [...objects.entries()].filter(([, { kind }]) => kind === resource.kind);
        const { items, ...page } = pages.page({ all: new Map(all), version }, query);
        return { ...page, items: items.map(resource.decode) };
      },
      async *watch<T extends KubeObject>(
        resource: { decode(value: unknown): T },
        query: Selector & { resourceVersion: string },
        options: { signal?: AbortSignal | undefined } = {},
      ): AsyncGenerator<WatchEvent<T>> {
        const { signal } = options;
        let seen = Number(query.resourceVersion);
        const since = forgotten;
        yield { type: "OPENED" };
        while (signal?.aborted !== true) {
          if (since !== forgotten) {
            yield { type: "EXPIRED" };
            return;
          }
          for (const change of history.filter((event) => event.version > seen)) {
            seen = change.version;
            const resourceVersion = String(change.version);
            const type = typeFor(change, query);
            if (type === undefined) yield { type: "BOOKMARK", resourceVersion };
            else yield { type, object: resource.decode(change.object), resourceVersion };
          }
          await new Promise<void>((resolve) => {
            if (seen < version || since !== forgotten || signal?.aborted) return resolve();
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
      async create(resource, object, options) {
        begin(options);
        if (objects.has(keyOf(resource.kind, object.metadata)))
          throw new SecretsError("already_exists", "it exists already");
        return resource.decode(write(object, options));
      },
      async replace(resource, object, options) {
        begin(options);
        const old = objects.get(keyOf(resource.kind, object.metadata));
        if (old === undefined) throw new SecretsError("not_found", "it does not exist");
        assertPreconditions(old, object.metadata);
        assertMayBecome(old, object);
        return resource.decode(write(object, options));
      },
      async patch(resource, { patch, ...reference }, options) {
        begin(options);
        const old = objects.get(keyOf(resource.kind, reference));
        if (old === undefined) throw new SecretsError("not_found", "it does not exist");
        const merged = resource.decode(mergePatch(old, patch));
        assertPreconditions(old, merged.metadata);
        assertMayBecome(old, merged);
        return resource.decode(write(merged, options));
      },
      async delete(resource, { preconditions, ...reference }, options) {
        begin(options);
        const old = objects.get(keyOf(resource.kind, reference));
        if (old === undefined) return false;
        assertPreconditions(old, preconditions);
        record("DELETED", old);
        return true;
      },
    },
  };
  return api;
}

function assertNotGivenUp({ signal }: RequestOptions = {}): void {
  if (signal?.aborted === true) throw new SecretsError("canceled", "The caller gave up.");
}

/** What a change is to one who selects; undefined for none of theirs. */
function typeFor({ type, object, before }: Change, selection: Selector): Change["type"] | undefined {
  const was = before !== undefined && isSelected(before, selection);
  if (type === "DELETED" || !isSelected(object, selection)) return was ? "DELETED" : undefined;
  return was ? "MODIFIED" : "ADDED";
}
