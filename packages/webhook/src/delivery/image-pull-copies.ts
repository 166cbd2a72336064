import type { Clock } from "@flyte-secrets/core";
import { raceSignal, SecretsError } from "@flyte-secrets/core";
import type { ImagePullSecrets } from "@flyte-secrets/inject";
import type { KubeClient } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { type DeliveredSecret, isRetentionDue, type Lifetimes } from "./delivered-secret.ts";
import type { DeliveredSecrets } from "./delivered-secrets.ts";
import { createImagePullCopier } from "./image-pull-copier.ts";
import { watchImagePullSources } from "./image-pull-sources.ts";

/** Delay after a failed update of a copy. */
const RETRY_MS = 10_000;

export interface ImagePullCopiesOptions {
  readonly client: Pick<KubeClient, "get" | "list" | "watch" | "create" | "patch" | "delete">;
  /** The namespace of the image-pull Secrets. */
  readonly source: string;
  /**
   * The delivered Secrets of all namespaces that may be written to, and those of one namespace; undefined for a
   * namespace that may not.
   */
  readonly written: readonly DeliveredSecrets[];
  readonly deliveredIn: (namespace: string) => DeliveredSecrets | undefined;
  /** Like those of the writer. */
  readonly lifetimes: Lifetimes;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Image-pull Secrets, copied to the namespaces of pods. */
export interface ImagePullCopies extends ImagePullSecrets {
  /** Ends what is in flight. The copies stay. */
  close(): Promise<void>;
}

/**
 * Copies image-pull Secrets to the namespaces of pods and keeps the copies up to date: a copy is updated when its
 * source changes, deleted when its source is, and collected by the sweeper once no pod needs it. Both are watched, so
 * that a copy that is there costs no call.
 *
 * Copying throws `namespace_not_writable` for a namespace that is not listed, `pod_conflict` for a foreign Secret in
 * the way, and what the client throws.
 */
export function createImagePullCopies(options: ImagePullCopiesOptions): ImagePullCopies {
  const { client, source, written, deliveredIn, lifetimes, clock, log } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const inFlight = new Map<string, Promise<void>>();
  let isSynced = false;
  const onChange = () => {
    isSynced = true;
    follow();
  };
  const sources = watchImagePullSources({ client, namespace: source, onChange, clock, log });
  const syncCopy = createImagePullCopier({ client, sources, source, deliveredIn, lifetimes, clock, signal });
  const isUpToDate = ({ name, copy }: DeliveredSecret) =>
    copy?.from === source && copy.digest === sources.digestOf(name);
  const isKept = (copy: DeliveredSecret | undefined) =>
    copy !== undefined && sources.isFresh() && isUpToDate(copy) && !isRetentionDue(copy, clock.now(), lifetimes);

  let isPlanned = false;
  let following = Promise.resolve();
  let stopRetry = () => {};

  /** Schedules an update of all outdated copies. */
  function follow(): void {
    if (isPlanned || !isSynced || signal.aborted) return;
    isPlanned = true;
    following = following.then(async () => {
      isPlanned = false;
      stopRetry();
      if (!(await followAll()) && !signal.aborted) stopRetry = clock.after(RETRY_MS, follow);
    });
  }

  /** False unless all copies and their sources are known and up to date. */
  async function followAll(): Promise<boolean> {
    if (!sources.isFresh()) return false;
    let isDone = true;
    for (const each of written) {
      const known = each.all();
      if (known === undefined) isDone = false;
      for (const { namespace, name } of known ?? []) {
        // Read again: another replica may have updated it by now.
        const copy = each.in(namespace).get(name);
        if (copy?.copy?.from !== source || isUpToDate(copy)) continue;
        try {
          await syncCopy(copy, "sourceChanged");
          log.info({ namespace, secret: name }, "an image-pull Secret's copy follows it");
        } catch (error) {
          if (signal.aborted) return false;
          isDone = false;
          log.warn({ err: error, namespace, secret: name }, "an image-pull Secret's copy cannot follow it");
        }
      }
    }
    return isDone;
  }
  for (const each of written) each.onCopies(follow);

  return {
    find: (id, { signal: caller = signal }) => sources.find(id, caller),
    copy(namespace, name, { signal: caller }) {
      if (namespace === source) return;
      const known = deliveredIn(namespace);
      if (known === undefined) throw notListed(namespace, name);
      if (isKept(known.in(namespace).get(name))) return;
      const key = `${namespace}/${name}`;
      return raceSignal(caller, () => {
        const syncing =
          inFlight.get(key) ?? syncCopy({ namespace, name }, "podNeedsIt").finally(() => inFlight.delete(key));
        inFlight.set(key, syncing);
        return syncing;
      });
    },
    async close() {
      closing.abort();
      stopRetry();
      await sources.close();
      await following;
    },
  };
}

function notListed(namespace: string, name: string): SecretsError {
  return new SecretsError(
    "namespace_not_writable",
    `Image-pull Secret ${name} is not copied to namespace ${namespace}, since webhook.writtenSecrets.namespaces ` +
      "doesn't list it.",
  );
}
