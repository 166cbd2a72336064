import type { StoreChange } from "@flyte-secrets/core";
import { type EventHandler, type Informer, type InformerOptions, runInformer } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { PAGE } from "./managed-listing.ts";
import { type ManagedRecord, managedRecords } from "./managed-record.ts";
import { MANAGED_SELECTOR } from "./managed-secret.ts";
import { WatchedRecords } from "./watched-records.ts";

/** About 110 MiB. */
const MAX_RECORDS = 200_000;

export interface ManagedFeedOptions extends Pick<InformerOptions<ManagedRecord>, "client" | "clock"> {
  readonly namespace: string;
  /** The cluster's name in the presence of a secret. */
  readonly clusterName: string;
  /** Records that are kept in memory; with more Secrets nothing is followed any more. Default: 200,000. */
  readonly maxRecords?: number;
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
  #records: WatchedRecords;
  #informer: Informer | undefined;
  /** Why nothing is followed any more. */
  #givenUp: string | undefined;

  constructor(options: ManagedFeedOptions) {
    this.#options = options;
    this.#records = this.#createRecords();
  }

  /** Starts the informer, unless it runs. Without the right to watch, watchers and memory do without. */
  start(): void {
    this.#informer ??= this.#startInformer();
  }

  /** The records as long as a watch keeps them up to date: undefined before the first list and while it is broken. */
  current(): WatchedRecords | undefined {
    return this.#informer?.isWatching() && this.#givenUp === undefined ? this.#records : undefined;
  }

  /** The last known state of a Secret, also while the watch is broken. */
  get(name: string): ManagedRecord | undefined {
    return this.#records.get(name);
  }

  /** Records a Secret as it was read or written, which may be ahead of the watch. */
  record(object: ManagedRecord): void {
    this.#keep((records) => records.record(object));
  }

  /** Records that a Secret does not exist any more: see {@link WatchedRecords.recordDeleted}. */
  recordDeleted(name: string, resourceVersion: string | undefined): void {
    this.#keep((records) => records.recordDeleted(name, resourceVersion));
  }

  /** Why watchers do not receive changes at present; undefined while they do, or while there are none. */
  problem(): string | undefined {
    return this.#listeners.size === 0 ? undefined : (this.#givenUp ?? this.#informer?.problem());
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
    const { namespace, clusterName, maxRecords = MAX_RECORDS, ...rest } = this.#options;
    const selector = { namespace, labelSelector: MANAGED_SELECTOR };
    const resource = managedRecords(clusterName);
    const handler: EventHandler<ManagedRecord> = {
      onReplace: (objects, resourceVersion) => this.#records.onReplace(objects, resourceVersion),
      onUpsert: (object) => this.#keep((records) => records.onUpsert(object)),
      onDelete: (object) => this.#records.onDelete(object),
    };
    const limits = { pageSize: PAGE, maxObjects: maxRecords, isOptional: true };
    return runInformer({ ...rest, ...limits, resource, selector, handler });
  }

  #keep(change: (records: WatchedRecords) => void): void {
    if (this.#informer === undefined || this.#givenUp !== undefined) return;
    change(this.#records);
    if (this.#records.size > (this.#options.maxRecords ?? MAX_RECORDS)) this.#giveUp();
  }

  /** Ends following, because there are more Secrets than are kept in memory. */
  #giveUp(): void {
    const { namespace, log } = this.#options;
    this.#givenUp = `there are more than ${this.#records.size - 1} secrets, which is the limit of those in memory`;
    this.#records = this.#createRecords();
    void this.#informer?.close();
    log.warn({ namespace }, `every call asks the API server from now on, since ${this.#givenUp}`);
  }

  #createRecords(): WatchedRecords {
    const { namespace, log } = this.#options;
    return new WatchedRecords({
      onChange: (change) => this.#emit(change),
      onMisnamed({ metadata: { name }, problem }) {
        const { what, remedy } = problem ?? {};
        log.warn({ namespace, secret: name, remedy }, `skipped a Secret that holds no secret: ${what}`);
      },
    });
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
