import type { StoreChange } from "@flyte-secrets/core";
import { type Informer, type InformerOptions, runInformer } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { PAGE } from "./managed-listing.ts";
import { type ManagedRecord, managedRecords } from "./managed-record.ts";
import { MANAGED_SELECTOR } from "./managed-secret.ts";
import { WatchedRecords } from "./watched-records.ts";

export interface ManagedFeedOptions extends Pick<InformerOptions<ManagedRecord>, "client" | "clock"> {
  readonly namespace: string;
  /** The cluster's name in the presence of a secret. */
  readonly clusterName: string;
  readonly log: Logger;
}

/**
 * Follows the managed Secrets of a namespace: keeps their records in memory, and delivers each change to watchers,
 * whoever makes it. An informer runs from `start` or the first watcher until the feed is closed. Watchers receive
 * `reset` once it has synced; from then on nothing is missed, also over an interruption, of which only the result is
 * delivered for each secret. A Secret that is no longer managed counts as deleted.
 */
export class ManagedFeed {
  readonly #options: ManagedFeedOptions;
  readonly #listeners = new Set<(change: StoreChange) => void>();
  readonly #records: WatchedRecords;
  #informer: Informer | undefined;

  constructor(options: ManagedFeedOptions) {
    const { namespace, log } = options;
    this.#options = options;
    this.#records = new WatchedRecords({
      onChange: (change) => this.#emit(change),
      onMisnamed({ metadata: { name }, problem }) {
        const { what, remedy } = problem ?? {};
        log.warn({ namespace, secret: name, remedy }, `skipped a Secret that holds no secret: ${what}`);
      },
    });
  }

  /** Starts the informer, unless it runs. Without the right to watch, watchers and memory do without. */
  start(): void {
    this.#informer ??= this.#startInformer();
  }

  /** The records as long as a watch keeps them up to date: undefined before the first list and while it is broken. */
  current(): WatchedRecords | undefined {
    return this.#informer?.isWatching() ? this.#records : undefined;
  }

  /**
   * The records for what this process knows ahead of the watch, also while that is broken; undefined if no informer
   * runs.
   */
  records(): WatchedRecords | undefined {
    return this.#informer && this.#records;
  }

  /** Why watchers do not receive changes at present; undefined while they do, or while there are none. */
  problem(): string | undefined {
    return this.#listeners.size === 0 ? undefined : this.#informer?.problem();
  }

  /** Resolves once watchers receive changes. Does not start the informer. */
  async synced(): Promise<void> {
    await this.#informer?.synced;
  }

  watch(listener: (change: StoreChange) => void): () => void {
    // A wrapper for each call, so that a function that is passed twice is called twice and removed one by one.
    const entry = (change: StoreChange) => listener(change);
    this.#listeners.add(entry);
    this.start();
    return () => void this.#listeners.delete(entry);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#informer?.close();
  }

  #startInformer(): Informer {
    const { namespace, clusterName, ...rest } = this.#options;
    const selector = { namespace, labelSelector: MANAGED_SELECTOR };
    const resource = managedRecords(clusterName);
    return runInformer({ ...rest, resource, selector, handler: this.#records, pageSize: PAGE, isOptional: true });
  }

  #emit(change: StoreChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change);
      } catch (error) {
        this.#options.log.error({ err: error }, "A watcher of the store failed.");
      }
    }
  }
}
