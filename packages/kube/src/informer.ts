import { type Clock, sleep } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { KubeClient, KubeSelection } from "./client.ts";
import type { KubeObject, KubeResource } from "./object.ts";

const PAGE_SIZE = 500;

/** The API server ends watches on its own time; theirs spread between one and two of these. */
const WATCH_SECONDS = 300;

/** A watch is told at least each minute that nothing happened, so one that is silent for longer has lost its connection. */
const SILENCE_MS = 150_000;

const FIRST_DELAY_MS = 250;
/** Short, since an API server that is back sends pods at once to webhooks that are ready only once they follow it. */
const LONGEST_DELAY_MS = 2_000;
/** A watch that lasted so long counts as one that works. */
const SETTLED_MS = 10_000;

/** Who hears of the objects. None of these may throw. */
export interface EventHandler<T> {
  /** All there are: what is not among them is gone. First of all, and again whenever events may have been missed. */
  replace(objects: readonly T[]): void;
  /** One is new or has changed. The same state may come twice. */
  put(object: T): void;
  /** One is gone; this is the last that was seen of it. */
  remove(object: T): void;
}

export interface InformerOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, "list" | "watch">;
  readonly resource: KubeResource<T>;
  readonly selection: KubeSelection;
  readonly sink: EventHandler<T>;
  /** Objects a page when they are listed; 500 by default, as kubectl has it. */
  readonly pageSize?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Objects of an API server, followed. */
export interface Informer {
  /** Resolves after the first {@link EventHandler.replace}; never, if the follower is closed before. */
  readonly synced: Promise<void>;
  /** What keeps it from hearing of changes at present, for readiness; undefined while it does. */
  problem(): string | undefined;
  /** For how many milliseconds there has been a {@link problem}; 0 while there is none. */
  brokenMs(): number;
  /** Milliseconds since the API server was last heard. */
  silentMs(): number;
  /** The resource version up to which the sink has heard of everything; undefined before it has. */
  version(): string | undefined;
  close(): Promise<void>;
}

/**
 * Keeps a sink in step with the objects of a selection: lists them, watches from there, resumes a watch that ended or broke
 * where it was, and lists again when that place is forgotten. Failures are logged and tried again, at longer and longer
 * intervals up to 2 s, until it is closed.
 */
export function runInformer<T extends KubeObject>(options: InformerOptions<T>): Informer {
  const { client, resource, selection, sink, pageSize: limit = PAGE_SIZE, clock, log } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const synced = Promise.withResolvers<void>();
  let problem: string | undefined = "not read yet";
  let heardAt = clock.elapsed();
  let brokenAt: number | undefined = heardAt;
  let failures = 0;
  let seen: string | undefined;

  const heard = () => {
    heardAt = clock.elapsed();
    problem = undefined;
    brokenAt = undefined;
  };

  async function list(): Promise<string> {
    const objects: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page = await client.list(resource, { ...selection, limit, continue: next }, { signal });
      objects.push(...page.items);
      next = page.continue;
      if (next !== undefined) continue;
      sink.replace(objects);
      seen = page.resourceVersion;
      heard();
      synced.resolve();
      return page.resourceVersion;
    }
  }

  async function watch(from: string, onProgress: (version: string) => void): Promise<"ended" | "expired"> {
    const silence = new AbortController();
    let stop = () => {};
    const restart = () => {
      stop();
      stop = clock.after(SILENCE_MS, () => silence.abort());
    };
    const timeoutSeconds = Math.floor(WATCH_SECONDS * (1 + Math.random()));
    const query = { ...selection, resourceVersion: from, timeoutSeconds };
    try {
      restart();
      for await (const event of client.watch(resource, query, { signal: AbortSignal.any([signal, silence.signal]) })) {
        restart();
        if (event.type === "EXPIRED") return "expired";
        heard();
        if (event.type === "OPENED") continue;
        if (event.type === "DELETED") sink.remove(event.object);
        else if (event.type !== "BOOKMARK") sink.put(event.object);
        seen = event.resourceVersion;
        onProgress(event.resourceVersion);
      }
      return "ended";
    } catch (error) {
      if (silence.signal.aborted && !signal.aborted) return "ended";
      throw error;
    } finally {
      stop();
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
        // An API server that is going down, or a proxy before it, may accept watches and end them at once: that it does
        // so is no success.
        if (clock.elapsed() - started >= SETTLED_MS) {
          failures = 0;
          continue;
        }
      } catch (error) {
        if (signal.aborted) return;
        const next = error instanceof Error ? error.message : "unknown failure";
        // Each cause once, however long it lasts.
        const level = next === problem ? "debug" : "warn";
        problem = next;
        brokenAt ??= clock.elapsed();
        log[level]({ err: error, resource: resource.plural, ...selection }, "Kubernetes objects cannot be followed");
      }
      const delayMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures) * (0.5 + Math.random() / 2);
      failures += 1;
      await sleep(clock, delayMs, signal).catch(() => {});
    }
  }

  const running = run();
  return {
    synced: synced.promise,
    problem: () => problem,
    brokenMs: () => (brokenAt === undefined ? 0 : clock.elapsed() - brokenAt),
    silentMs: () => clock.elapsed() - heardAt,
    version: () => seen,
    async close() {
      closing.abort();
      await running;
    },
  };
}
