import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { SecretsError } from "@flyte-secrets/core";
import { type Clock, sleep } from "../clock.ts";
import type { KubeConnection } from "./kube-connection.ts";
import { fromFailure, fromStatus, type KubeCall } from "./kube-error.ts";
import { type KubeObject, type KubeReference, type KubeResource, kubePath } from "./kube-object.ts";
import { createKubeTransport } from "./kube-transport.ts";
import { createRateLimit } from "./rate-limit.ts";
import { decodeWatch, type KubeWatchEvent } from "./watch-events.ts";

/** After so many answers of "too busy" the caller hears of it. */
const MAX_ATTEMPTS = 10;

export interface KubeClientOptions {
  readonly connection: KubeConnection;
  /** Requests a second, and at once, before they queue. */
  readonly qps: number;
  readonly burst: number;
  /** Limit of one call with its waits and repetitions. A watch has none. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Hears of every request that was answered or failed: for metrics. */
  readonly observe?: (request: ObservedRequest) => void;
}

export interface ObservedRequest {
  readonly verb: string;
  readonly resource: string;
  /** 0 when there was no answer. */
  readonly status: number;
  /** For its turn under `qps`. */
  readonly waitedMs: number;
  readonly tookMs: number;
}

export interface KubeCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** The API server does everything but keep the change. */
  readonly dryRun?: boolean | undefined;
}

export interface KubeSelection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface KubeListQuery extends KubeSelection {
  readonly limit?: number | undefined;
  /** Of the page before. */
  readonly continue?: string | undefined;
}

export interface KubeList<T> {
  readonly items: readonly T[];
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
  /** Of the next page; absent on the last. */
  readonly continue?: string | undefined;
}

export interface KubeWatchQuery extends KubeSelection {
  readonly resourceVersion: string;
  /** After which the API server ends the watch. */
  readonly timeoutSeconds: number;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/ */
export interface KubePreconditions {
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
  /** The namespace of the connection's context or pod. */
  readonly namespace: string | undefined;
  /** Undefined when there is none. */
  get<T extends KubeObject>(
    resource: KubeResource<T>,
    reference: KubeReference,
    options?: KubeCallOptions,
  ): Promise<T | undefined>;
  list<T extends KubeObject>(
    resource: KubeResource<T>,
    query: KubeListQuery,
    options?: KubeCallOptions,
  ): Promise<KubeList<T>>;
  create<T extends KubeObject>(resource: KubeResource<T>, object: T, options?: KubeCallOptions): Promise<T>;
  /** Writes over the whole object; with `metadata.resourceVersion` only over that state (else `conflict`). */
  replace<T extends KubeObject>(resource: KubeResource<T>, object: T, options?: KubeCallOptions): Promise<T>;
  /** A JSON merge patch (RFC 7386). */
  patch<T extends KubeObject>(
    resource: KubeResource<T>,
    target: KubeReference & { readonly patch: object },
    options?: KubeCallOptions,
  ): Promise<T>;
  /** False when there is none; `conflict` when the preconditions do not hold. */
  delete<T extends KubeObject>(
    resource: KubeResource<T>,
    target: KubeReference & { readonly preconditions?: KubePreconditions },
    options?: KubeCallOptions,
  ): Promise<boolean>;
  /**
   * What happens after `resourceVersion`, until the API server ends the watch, which it does often. It is a thing to build on:
   * {@link followObjects} lists, watches and resumes.
   */
  watch<T extends KubeObject>(
    resource: KubeResource<T>,
    query: KubeWatchQuery,
    options?: KubeCallOptions,
  ): AsyncIterable<KubeWatchEvent<T>>;
  /** Any other address, such as `/version`. */
  request(method: string, path: string, options?: KubeRequestOptions): Promise<KubeAnswer>;
  /** Ends every call and watch under way. Idempotent. */
  close(): void;
}

export interface KubeRequestOptions extends KubeCallOptions {
  readonly body?: object | undefined;
  readonly contentType?: string | undefined;
}

export interface KubeAnswer {
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

const MERGE_PATCH = "application/merge-patch+json";

/** Opens no connection before the first call. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { connection, timeoutMs, clock, observe } = options;
  const transport = createKubeTransport(connection);
  const limit = createRateLimit(options);
  const closing = new AbortController();
  const server = `the API server ${connection.server.origin} (${connection.source})`;

  interface Sending extends KubeRequestOptions {
    readonly method: string;
    readonly path: string;
    readonly query?: Readonly<Record<string, string | number | undefined>>;
    readonly call: KubeCall;
  }

  /** The answer below 400; the body is still to be read. */
  async function send(sending: Sending, signal: AbortSignal): Promise<IncomingMessage> {
    const { method, call, body, contentType } = sending;
    const path = withQuery(sending.path, { ...sending.query, ...(sending.dryRun && { dryRun: "All" }) });
    for (let attempt = 1; ; attempt++) {
      const waitedMs = await limit.take(signal);
      const started = clock.elapsed();
      let status = 0;
      try {
        const response = await transport.send({
          method,
          path,
          signal,
          contentType,
          body: body && JSON.stringify(body),
        });
        status = response.statusCode ?? 0;
        if (status < 400) return response;
        const retryMs = retryAfterMs(response);
        if (retryMs === undefined || attempt === MAX_ATTEMPTS) throw fromStatus(status, await readJson(response), call);
        response.resume();
        await sleep(clock, retryMs, signal);
      } finally {
        const { verb, resource } = call;
        observe?.({ verb, resource, status, waitedMs, tookMs: clock.elapsed() - started });
      }
    }
  }

  async function exchange(sending: Sending): Promise<KubeAnswer> {
    const { call } = sending;
    const deadline = new AbortController();
    const stop = clock.after(timeoutMs, () =>
      deadline.abort(new SecretsError("deadline_exceeded", `${server} did not answer within ${timeoutMs} ms.`)),
    );
    const signal = joinSignals(deadline.signal, closing.signal, sending.signal);
    try {
      const response = await send(sending, signal);
      return { headers: response.headers, body: await readJson(response) };
    } catch (error) {
      throw signal.aborted ? fromAbort(signal) : fromFailure(error, call);
    } finally {
      stop();
    }
  }

  const describe = <T extends KubeObject>(verb: string, resource: KubeResource<T>, reference: KubeReference) => ({
    call: { verb, resource: permissionName(resource), server, ...reference } satisfies KubeCall,
    path: kubePath(resource, reference),
  });
  const absentAs = async <A, B>(value: A, answer: Promise<B>): Promise<A | B> => {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof SecretsError && error.code === "not_found") return value;
      throw error;
    }
  };

  return {
    namespace: connection.namespace,

    async get(resource, { namespace, name }, callOptions) {
      const target = describe("get", resource, { namespace, name });
      const answer = await absentAs(undefined, exchange({ ...callOptions, ...target, method: "GET" }));
      return answer && resource.decode(answer.body);
    },

    async list(resource, { namespace, ...query }, callOptions) {
      const target = describe("list", resource, { namespace });
      const { body } = await exchange({ ...callOptions, ...target, method: "GET", query });
      return decodeList(resource, body);
    },

    async create(resource, object, callOptions) {
      const { namespace, name } = object.metadata;
      const { call } = describe("create", resource, { namespace, name });
      const path = kubePath(resource, { namespace });
      return resource.decode((await exchange({ ...callOptions, call, path, method: "POST", body: object })).body);
    },

    async replace(resource, object, callOptions) {
      const { namespace, name } = object.metadata;
      const target = describe("update", resource, { namespace, name });
      return resource.decode((await exchange({ ...callOptions, ...target, method: "PUT", body: object })).body);
    },

    async patch(resource, { namespace, name, patch }, callOptions) {
      const target = describe("patch", resource, { namespace, name });
      const sending = { method: "PATCH", body: patch, contentType: MERGE_PATCH };
      return resource.decode((await exchange({ ...callOptions, ...target, ...sending })).body);
    },

    async delete(resource, { namespace, name, preconditions }, callOptions) {
      const target = describe("delete", resource, { namespace, name });
      const body = { kind: "DeleteOptions", apiVersion: "v1", preconditions };
      return (await absentAs(undefined, exchange({ ...callOptions, ...target, method: "DELETE", body }))) !== undefined;
    },

    async *watch(resource, { namespace, ...query }, callOptions) {
      const { call, path } = describe("watch", resource, { namespace });
      const signal = joinSignals(closing.signal, callOptions?.signal);
      const watching = { watch: "true", allowWatchBookmarks: "true", ...query };
      try {
        const response = await send({ method: "GET", path, query: watching, call }, signal);
        try {
          yield { type: "OPENED" };
          yield* decodeWatch(response, resource, call);
        } finally {
          response.destroy();
        }
      } catch (error) {
        if (signal.aborted) throw fromAbort(signal);
        if (error instanceof SecretsError && error.code === "page_token_expired") yield { type: "EXPIRED" };
        else throw fromFailure(error, call);
      }
    },

    request(method, path, requestOptions) {
      return exchange({
        ...requestOptions,
        method,
        path,
        call: { verb: method.toLowerCase(), resource: path, server },
      });
    },

    close() {
      closing.abort(new SecretsError("canceled", "The Kubernetes client is closed."));
      transport.close();
    },
  };
}

/** How long to wait before the same call, where the API server turned it away undone (as client-go reads it). */
function retryAfterMs({ statusCode = 0, headers }: IncomingMessage): number | undefined {
  const seconds = Number(headers["retry-after"]);
  if (statusCode === 429) return (Number.isFinite(seconds) ? seconds : 1) * 1000;
  return statusCode >= 500 && headers["retry-after"] !== undefined && Number.isFinite(seconds)
    ? seconds * 1000
    : undefined;
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  const content = await text(response);
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

function decodeList<T extends KubeObject>(resource: KubeResource<T>, body: unknown): KubeList<T> {
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

function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given}`;
}

function joinSignals(...signals: (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

function fromAbort({ reason }: AbortSignal): SecretsError {
  if (reason instanceof SecretsError) return reason;
  return reason instanceof DOMException && reason.name === "TimeoutError"
    ? new SecretsError("deadline_exceeded", "The time limit passed before the API server answered.", { cause: reason })
    : new SecretsError("canceled", "The caller gave up.", { cause: reason });
}
