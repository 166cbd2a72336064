import { type Clock, isSecretsError, SecretsError, sleep } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { type KubeClient, nextLimit, type Selector } from "./client.ts";
import type { KubeObject, KubeResource } from "./objects.ts";

const PAGE_SIZE = 500;

/** The API server ends each watch after a time limit that spreads between one and two times this. */
const WATCH_SECONDS = 300;

/**
 * The API server sends a bookmark at least every 75 s, so a watch that is silent for longer has lost its connection.
 */
const RESTART_AFTER_SILENT_MS = 150_000;
/** Objects are stale earlier than a silent watch is replaced, which costs the API server a new one. */
const STALE_AFTER_SILENT_MS = 100_000;
/**
 * A watch that was opened first delivers what happened before; the API server sends that at once, and does not say
 * where it ends.
 */
const CATCH_UP_MS = 1_000;
/** A shorter failure is usually resumed without a loss. */
const STALE_AFTER_FAILING_MS = 10_000;

const FIRST_BACKOFF_MS = 250;
/** People have to give the missing right, and each refused request is an entry of the audit log. */
const MAX_REFUSED_BACKOFF_MS = 30_000;
/**
 * Short, because an API server that restarts sends pods at once to webhooks, which are ready only once they watch
 * again.
 */
const MAX_BACKOFF_MS = 2_000;
/** A watch that lasted this long resets the backoff. */
const BACKOFF_RESET_MS = 10_000;

/** Receives events. Handlers must not throw. */
export interface EventHandler<T> {
  /** Called before a list is read, all objects of which are decoded before the next {@link EventHandler.onReplace}. */
  onList?(): void;
  /**
   * Receives all objects; every other one is gone. It is the first event, and is sent again whenever events may have
   * been missed. The objects are as they were at `resourceVersion`.
   */
  onReplace(objects: readonly T[], resourceVersion: string): void;
  /** Receives an object that was added or has changed. The same state may be sent twice. */
  onUpsert(object: T): void;
  /** Receives the last known state of an object that was deleted. */
  onDelete(object: T): void;
}

export interface InformerOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, "list" | "watch">;
  readonly resource: KubeResource<T>;
  readonly selector: Selector;
  readonly handler: EventHandler<T>;
  /** Objects per page of a list; 500 by default, as kubectl has it. */
  readonly pageSize?: number;
  /**
   * Whether the handler's owner can do without the objects. Then requests that are refused for want of a right are
   * repeated every 30 s at least, and not every 2 s.
   */
  readonly isOptional?: boolean;
  /** Limit of objects in a list. Where there are more, that is logged and the informer ends. Default: none. */
  readonly maxObjects?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A running list and watch of objects. */
export interface Informer {
  /** Resolves after the first {@link EventHandler.onReplace}; never, if the informer is closed before. */
  readonly synced: Promise<void>;
  /** Whether the first {@link EventHandler.onReplace} was sent. */
  hasSynced(): boolean;
  /** Why no events arrive at present, for readiness; undefined while they do. It changes with every failed request. */
  problem(): string | undefined;
  /**
   * Why the objects that the handler received may be out of date: the watch has failed for 10 s, or was silent for 100
   * s. Undefined otherwise.
   */
  staleReason(): string | undefined;
  /**
   * Whether all objects were received and are up to date, as far as the watch can show: see {@link
   * Informer.staleReason}.
   */
  isFresh(): boolean;
  /**
   * Whether a watch has been open for 1 s, in which it delivers what happened before, and was not silent for 100 s:
   * stricter than {@link Informer.isFresh}, which holds for 10 s after a watch has failed.
   */
  isWatching(): boolean;
  /** Milliseconds since the API server last sent something. */
  silentMs(): number;
  /** The resource version up to which the handler has received everything; undefined before the first list. */
  lastSyncResourceVersion(): string | undefined;
  close(): Promise<void>;
}

/**
 * Sends all objects of a selector, and then every change, to a handler: it lists them, watches from there, resumes a
 * watch that ended or broke at the same resource version, and lists again when the API server has forgotten that
 * version. Failures are logged and retried with exponential backoff of at most 2 s, until the informer is closed.
 */
export function runInformer<T extends KubeObject>(options: InformerOptions<T>): Informer {
  const { client, resource, selector, handler, pageSize = PAGE_SIZE, isOptional = false } = options;
  const { maxObjects = Number.POSITIVE_INFINITY, clock, log } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const synced = Promise.withResolvers<void>();
  let hasSynced = false;
  let problem: string | undefined = "not read yet";
  let lastReceivedAt = clock.elapsed();
  let failingSince: number | undefined = lastReceivedAt;
  let attempt = 0;
  let lastVersion: string | undefined;
  /** When the watch that is open was opened. */
  let openedAt: number | undefined;
  let maxBackoffMs = MAX_BACKOFF_MS;

  const recordSuccess = () => {
    lastReceivedAt = clock.elapsed();
    problem = undefined;
    failingSince = undefined;
  };

  async function list(): Promise<string> {
    handler.onList?.();
    const objects: T[] = [];
    let next: string | undefined;
    let limit = pageSize;
    for (;;) {
      const page = await client.list(resource, { ...selector, limit, continue: next }, { signal });
      objects.push(...page.items);
      if (objects.length > maxObjects) {
        const message = `there are more than ${maxObjects} ${resource.plural}, which is the limit of those in memory`;
        throw new SecretsError("too_many_secrets", message);
      }
      next = page.continue;
      limit = nextLimit(page, pageSize);
      if (next !== undefined) continue;
      handler.onReplace(objects, page.resourceVersion);
      lastVersion = page.resourceVersion;
      recordSuccess();
      hasSynced = true;
      synced.resolve();
      return page.resourceVersion;
    }
  }

  async function watch(from: string, onProgress: (version: string) => void): Promise<"ended" | "expired"> {
    const silence = new AbortController();
    let stopTimer = () => {};
    const restartTimer = () => {
      stopTimer();
      stopTimer = clock.after(RESTART_AFTER_SILENT_MS, () => silence.abort());
    };
    const timeoutSeconds = Math.floor(WATCH_SECONDS * (1 + Math.random()));
    const query = { ...selector, resourceVersion: from, timeoutSeconds };
    try {
      restartTimer();
      for await (const event of client.watch(resource, query, { signal: AbortSignal.any([signal, silence.signal]) })) {
        restartTimer();
        if (event.type === "EXPIRED") return "expired";
        recordSuccess();
        openedAt ??= clock.elapsed();
        if (event.type === "OPENED") continue;
        if (event.type === "DELETED") handler.onDelete(event.object);
        else if (event.type !== "BOOKMARK") handler.onUpsert(event.object);
        lastVersion = event.resourceVersion;
        onProgress(event.resourceVersion);
      }
      return "ended";
    } catch (error) {
      if (silence.signal.aborted && !signal.aborted) return "ended";
      throw error;
    } finally {
      openedAt = undefined;
      stopTimer();
    }
  }

  async function run(): Promise<void> {
    let version: string | undefined;
    while (!signal.aborted) {
      const started = clock.elapsed();
      try {
        version ??= await list();
        const outcome = await watch(version, (next) => {
          version = next;
        });
        if (outcome === "expired") version = undefined;
        // An API server that is shutting down, or a proxy in front of it, may accept watches and end them at once,
        // which must not reset the backoff.
        if (clock.elapsed() - started >= BACKOFF_RESET_MS) {
          attempt = 0;
          continue;
        }
      } catch (error) {
        if (signal.aborted) return;
        recordFailure(error);
        if (isSecretsError(error, "too_many_secrets")) return;
        const isRefused = isSecretsError(error, "credentials_refused");
        maxBackoffMs = isOptional && isRefused ? MAX_REFUSED_BACKOFF_MS : MAX_BACKOFF_MS;
      }
      const backoffMs = Math.min(maxBackoffMs, FIRST_BACKOFF_MS * 2 ** attempt) * (0.5 + Math.random() / 2);
      attempt += 1;
      await sleep(clock, backoffMs, signal).catch(() => {});
    }
  }

  function recordFailure(error: unknown): void {
    const next = error instanceof Error ? error.message : "unknown failure";
    // Each cause once, however long it lasts.
    const level = next === problem ? "debug" : "warn";
    problem = next;
    failingSince ??= clock.elapsed();
    log[level]({ err: error, resource: resource.plural, ...selector }, "Kubernetes objects cannot be watched");
  }

  function staleReason(): string | undefined {
    const now = clock.elapsed();
    if (failingSince !== undefined && now - failingSince >= STALE_AFTER_FAILING_MS) return problem;
    const silentMs = now - lastReceivedAt;
    if (silentMs < STALE_AFTER_SILENT_MS) return undefined;
    return `the watch has been silent for ${Math.round(silentMs / 1000)} s`;
  }

  const running = run();
  return {
    synced: synced.promise,
    hasSynced: () => hasSynced,
    problem: () => problem,
    staleReason,
    isFresh: () => hasSynced && staleReason() === undefined,
    isWatching() {
      const now = clock.elapsed();
      const hasCaughtUp = openedAt !== undefined && now - openedAt >= CATCH_UP_MS;
      return hasCaughtUp && now - lastReceivedAt < STALE_AFTER_SILENT_MS;
    },
    silentMs: () => clock.elapsed() - lastReceivedAt,
    lastSyncResourceVersion: () => lastVersion,
    async close() {
      closing.abort();
      await running;
    },
  };
}
