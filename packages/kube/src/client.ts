import { isSecretsError } from "@flyte-secrets/core";
import { serverName } from "./connection.ts";
import { isTooLong } from "./error.ts";
import {
  asObject,
  type KubeObject,
  type KubeResource,
  NoObjectError,
  type ObjectReference,
  resourcePath,
} from "./objects.ts";
import type { KubeClientOptions } from "./requests.ts";
import { type ApiResponse, createRequestSender } from "./requests.ts";
import { MAX_BODY_BYTES } from "./response-body.ts";
import { decodeWatch, type WatchEvent } from "./watch-events.ts";

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** The API server does everything but store the change. */
  readonly dryRun?: boolean | undefined;
}

export interface Selector {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends Selector {
  readonly limit?: number | undefined;
  /** The continue token of the previous page. */
  readonly continue?: string | undefined;
}

export interface ObjectList<T> {
  readonly items: readonly T[];
  /** The version that a watch continues from. */
  readonly resourceVersion: string;
  /** The token of the next page; absent on the last. */
  readonly continue?: string | undefined;
}

export interface WatchOptions extends Selector {
  readonly resourceVersion: string;
  /** The time limit after which the API server ends the watch. */
  readonly timeoutSeconds: number;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/ */
export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/**
 * A client of one API server. Calls wait for the rate limit (`qps`, `burst`), are retried while the API server is too
 * busy, and throw {@link SecretsError}s: `credentials_refused` (with the permission that is missing), `call_refused`,
 * `already_exists`, `conflict`, `not_found`, `invalid_argument`, `value_too_large`, `page_token_expired`,
 * `store_unavailable`, `deadline_exceeded`, `canceled`. No error has content of an object.
 */
export interface KubeClient {
  /** The address and where it was configured, for messages. */
  readonly server: string;
  /** The namespace of the connection's context or pod. */
  readonly namespace: string | undefined;
  /** Undefined when there is none. */
  get<T extends KubeObject>(
    resource: KubeResource<T>,
    reference: ObjectReference,
    options?: RequestOptions,
  ): Promise<T | undefined>;
  /**
   * Reads a page. It has fewer objects than `limit`, and a continue token, where more than one would be over 8 MiB: see
   * {@link nextLimit}.
   */
  list<T extends KubeObject>(
    resource: KubeResource<T>,
    query: ListOptions,
    options?: RequestOptions,
  ): Promise<ObjectList<T>>;
  create<T extends KubeObject>(resource: KubeResource<T>, object: T, options?: RequestOptions): Promise<T>;
  /** Replaces the whole object; with `metadata.resourceVersion` only that version (else `conflict`). */
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
   * Streams the changes after `resourceVersion` until the API server ends the watch, which it does often. {@link
   * runInformer} lists, watches and resumes.
   */
  watch<T extends KubeObject>(
    resource: KubeResource<T>,
    query: WatchOptions,
    options?: RequestOptions,
  ): AsyncIterable<WatchEvent<T>>;
  /** Sends a request to any other path, such as `/version`. */
  request(method: string, path: string, options?: RequestOptions & { readonly body?: object }): Promise<ApiResponse>;
  /** Aborts all calls and watches in flight. Idempotent. */
  close(): void;
}

/**
 * Longest page of a list of more than one object: eight times 500 ordinary Secrets of 2 KiB. Text and objects that are
 * made of it take some three times as much.
 */
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/**
 * How many objects to ask for after a page: twice as many as it had, since pages are shorter than asked for where
 * objects are large.
 */
export function nextLimit({ items }: ObjectList<unknown>, maxLimit: number): number {
  return Math.min(maxLimit, 2 * Math.max(1, items.length));
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
      return unlessAbsent(requests.exchange({ ...target, method: "GET", signal }, ({ body }) => resource.decode(body)));
    },

    async list(resource, { namespace, ...query }, { signal } = {}) {
      const target = describe("list", resource, { namespace });
      for (let { limit } = query; ; limit = limit && Math.floor(limit / 2)) {
        const canShrink = limit !== undefined && limit > 1;
        const maxBytes = canShrink ? MAX_PAGE_BYTES : MAX_BODY_BYTES;
        try {
          const page = { ...target, method: "GET", query: { ...query, limit }, maxBytes, signal };
          return await requests.exchange(page, ({ body }) => decodeList(resource, body));
        } catch (error) {
          if (!canShrink || !isTooLong(error)) throw error;
        }
      }
    },

    async create(resource, object, { signal, dryRun } = {}) {
      const { namespace, name } = object.metadata;
      const { call } = describe("create", resource, { namespace, name });
      const path = resourcePath(resource, { namespace });
      const query = toQuery(dryRun);
      const request = { call, path, method: "POST", query, body: object, signal };
      return requests.exchange(request, ({ body }) => resource.decode(body));
    },

    async replace(resource, object, { signal, dryRun } = {}) {
      const { namespace, name } = object.metadata;
      const target = describe("update", resource, { namespace, name });
      const query = toQuery(dryRun);
      const request = { ...target, method: "PUT", query, body: object, signal };
      return requests.exchange(request, ({ body }) => resource.decode(body));
    },

    async patch(resource, { namespace, name, patch }, { signal, dryRun } = {}) {
      const target = { ...describe("patch", resource, { namespace, name }), contentType: MERGE_PATCH };
      const request = { ...target, method: "PATCH", query: toQuery(dryRun), body: patch, signal };
      return requests.exchange(request, ({ body }) => resource.decode(body));
    },

    async delete(resource, { namespace, name, preconditions }, { signal, dryRun } = {}) {
      const target = describe("delete", resource, { namespace, name });
      const body = { kind: "DeleteOptions", apiVersion: "v1", preconditions };
      const query = toQuery(dryRun);
      const request = { ...target, method: "DELETE", query, body, signal };
      return (await unlessAbsent(requests.exchange(request, () => true))) ?? false;
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
      return requests.exchange({ method, path, call, query: toQuery(dryRun), body, signal }, (response) => response);
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

async function unlessAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isSecretsError(error, "not_found")) return undefined;
    throw error;
  }
}

function decodeList<T extends KubeObject>(resource: KubeResource<T>, body: unknown): ObjectList<T> {
  const { items, metadata } = asObject<{
    items?: unknown;
    metadata: { resourceVersion: string; continue?: string };
  }>(body);
  // Without objects it may be null.
  if (items !== null && !Array.isArray(items)) throw new NoObjectError();
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
