import { isSecretsError } from "@flyte-secrets/core";
import type { KubeClientOptions } from "./client-options.ts";
import { serverName } from "./connection.ts";
import { type KubeObject, type KubeResource, type ObjectReference, resourcePath } from "./objects.ts";
import { type ApiResponse, createRequestSender } from "./requests.ts";
import { decodeWatch, type WatchEvent } from "./watch-events.ts";

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** The API server does everything but keep the change. */
  readonly dryRun?: boolean | undefined;
}

export interface Selector {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends Selector {
  readonly limit?: number | undefined;
  /** Of the page before. */
  readonly continue?: string | undefined;
}

export interface ObjectList<T> {
  readonly items: readonly T[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
  /** Of the next page; absent on the last. */
  readonly continue?: string | undefined;
}

export interface WatchOptions extends Selector {
  readonly resourceVersion: string;
  /** After which the API server ends the watch. */
  readonly timeoutSeconds: number;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/ */
export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/**
 * A client of one API server. Calls wait their turn under `qps` and `burst`, repeat what the API server was too busy for, and
 * throw {@link SecretsError}s: `credentials_refused` (with the permission that is missing), `call_refused`, `already_exists`,
 * `conflict`, `not_found`, `invalid_argument`, `value_too_large`, `page_token_expired`, `store_unavailable`,
 * `deadline_exceeded`, `canceled`. None holds anything of an object's content.
 */
export interface KubeClient {
  /** For messages: its address, and where that comes from. */
  readonly server: string;
  /** The namespace of the connection's context or pod. */
  readonly namespace: string | undefined;
  /** Undefined when there is none. */
  get<T extends KubeObject>(
    resource: KubeResource<T>,
    reference: ObjectReference,
    options?: RequestOptions,
  ): Promise<T | undefined>;
  list<T extends KubeObject>(
    resource: KubeResource<T>,
    query: ListOptions,
    options?: RequestOptions,
  ): Promise<ObjectList<T>>;
  create<T extends KubeObject>(resource: KubeResource<T>, object: T, options?: RequestOptions): Promise<T>;
  /** Writes over the whole object; with `metadata.resourceVersion` only over that state (else `conflict`). */
  replace<T extends KubeObject>(resource: KubeResource<T>, object: T, options?: RequestOptions): Promise<T>;
  /** A JSON merge patch (RFC 7386). */
  patch<T extends KubeObject>(
    resource: KubeResource<T>,
    target: ObjectReference & { readonly patch: object },
    options?: RequestOptions,
  ): Promise<T>;
  /** False when there is none; `conflict` when the preconditions do not hold. */
  delete<T extends KubeObject>(
    resource: KubeResource<T>,
    target: ObjectReference & { readonly preconditions?: Preconditions },
    options?: RequestOptions,
  ): Promise<boolean>;
  /**
   * What happens after `resourceVersion`, until the API server ends the watch, which it does often. It is a thing to build on:
   * {@link runInformer} lists, watches and resumes.
   */
  watch<T extends KubeObject>(
    resource: KubeResource<T>,
    query: WatchOptions,
    options?: RequestOptions,
  ): AsyncIterable<WatchEvent<T>>;
  /** Any other address, such as `/version`. */
  request(method: string, path: string, options?: RequestOptions & { readonly body?: object }): Promise<ApiResponse>;
  /** Ends every call and watch under way. Idempotent. */
  close(): void;
}

const MERGE_PATCH = "application/merge-patch+json";

/** Opens no connection before the first call. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const requests = createRequestSender(options);

  return {
    server: serverName(options.connection),
    namespace: options.connection.namespace,

    async get(resource, { namespace, name }, { signal } = {}) {
      const target = describe("get", resource, { namespace, name });
      const answer = await unlessAbsent(requests.exchange({ ...target, method: "GET", signal }));
      return answer && resource.decode(answer.body);
    },

    async list(resource, { namespace, ...query }, { signal } = {}) {
      const target = describe("list", resource, { namespace });
      return decodeList(resource, (await requests.exchange({ ...target, method: "GET", query, signal })).body);
    },

    async create(resource, object, { signal, dryRun } = {}) {
      const { namespace, name } = object.metadata;
      const { call } = describe("create", resource, { namespace, name });
      const path = resourcePath(resource, { namespace });
      const query = toQuery(dryRun);
      return resource.decode(
        (await requests.exchange({ call, path, method: "POST", query, body: object, signal })).body,
      );
    },

    async replace(resource, object, { signal, dryRun } = {}) {
      const { namespace, name } = object.metadata;
      const target = describe("update", resource, { namespace, name });
      const query = toQuery(dryRun);
      return resource.decode((await requests.exchange({ ...target, method: "PUT", query, body: object, signal })).body);
    },

    async patch(resource, { namespace, name, patch: body }, { signal, dryRun } = {}) {
      const target = { ...describe("patch", resource, { namespace, name }), contentType: MERGE_PATCH };
      const query = toQuery(dryRun);
      return resource.decode((await requests.exchange({ ...target, method: "PATCH", query, body, signal })).body);
    },

    async delete(resource, { namespace, name, preconditions }, { signal, dryRun } = {}) {
      const target = describe("delete", resource, { namespace, name });
      const body = { kind: "DeleteOptions", apiVersion: "v1", preconditions };
      const query = toQuery(dryRun);
      return (
        (await unlessAbsent(requests.exchange({ ...target, method: "DELETE", query, body, signal }))) !== undefined
      );
    },

    async *watch(resource, { namespace, ...rest }, { signal } = {}) {
      const target = describe("watch", resource, { namespace });
      const query = { watch: "true", allowWatchBookmarks: "true", ...rest };
      try {
        yield* requests.stream({ ...target, method: "GET", query, signal }, (response, call) =>
          decodeWatch(response, resource, call),
        );
      } catch (error) {
        if (!isSecretsError(error, "page_token_expired")) throw error;
        yield { type: "EXPIRED" };
      }
    },

    request(method, path, { signal, dryRun, body } = {}) {
      const call = { verb: method.toLowerCase(), resource: path };
      return requests.exchange({ method, path, call, query: toQuery(dryRun), body, signal });
    },

    close: requests.close,
  };
}

function describe(verb: string, resource: KubeResource<KubeObject>, reference: ObjectReference) {
  return { call: { verb, resource: permissionName(resource), ...reference }, path: resourcePath(resource, reference) };
}

function toQuery(dryRun: boolean | undefined): Record<string, string> {
  return dryRun === true ? { dryRun: "All" } : {};
}

async function unlessAbsent(answer: Promise<ApiResponse>): Promise<ApiResponse | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isSecretsError(error, "not_found")) return undefined;
    throw error;
  }
}

function decodeList<T extends KubeObject>(resource: KubeResource<T>, body: unknown): ObjectList<T> {
  // A list of the API server's always has these two.
  const { items, metadata } = body as {
    items: unknown[] | null;
    metadata: { resourceVersion: string; continue?: string };
  };
  return {
    items: (items ?? []).map((item) => resource.decode(item)),
    resourceVersion: metadata.resourceVersion,
    ...(metadata.continue && { continue: metadata.continue }),
  };
}

/** As permissions and `kubectl auth can-i` name it: `secrets`, `deployments.apps`. */
function permissionName({ apiVersion, plural }: Pick<KubeResource<KubeObject>, "apiVersion" | "plural">): string {
  const [group, version] = apiVersion.split("/");
  return version === undefined ? plural : `${plural}.${group}`;
}
