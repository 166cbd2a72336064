import type { SecretId, StoreChange } from "@flyte-secrets/core";
import { type Informer, type InformerOptions, type KubeSecret, runInformer, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { MANAGED_SELECTOR, managedId } from "./managed-secret.ts";

export interface ManagedFeedOptions extends Pick<InformerOptions<KubeSecret>, "client" | "clock"> {
  readonly namespace: string;
  readonly log: Logger;
}

/** The last known state of a Secret, to find what changed when the watch had to start again. */
interface KnownSecret {
  readonly id: SecretId;
  readonly resourceVersion: string | undefined;
}

/**
 * Delivers each change of the managed Secrets of a namespace to watchers, whoever makes it. An informer runs from the
 * first watcher until the feed is closed. Watchers receive `reset` once it has synced; from then on nothing is missed,
 * also over an interruption, of which only the result is delivered for each secret. A Secret that is no longer managed
 * counts as deleted.
 */
export class ManagedFeed {
  readonly #options: ManagedFeedOptions;
  readonly #listeners = new Set<(change: StoreChange) => void>();
  #known: Map<string, KnownSecret> | undefined;
  #informer: Informer | undefined;

  constructor(options: ManagedFeedOptions) {
    this.#options = options;
  }

  /** Why watchers do not receive changes at present; undefined while they do, or while there are none. */
  problem(): string | undefined {
    return this.#informer?.problem();
  }

  /** Resolves once watchers receive changes. Does not start the informer. */
  async synced(): Promise<void> {
    await this.#informer?.synced;
  }

  watch(listener: (change: StoreChange) => void): () => void {
    // A wrapper for each call, so that a function that is passed twice is called twice and removed one by one.
    const entry = (change: StoreChange) => listener(change);
    this.#listeners.add(entry);
    this.#informer ??= this.#startInformer();
    return () => void this.#listeners.delete(entry);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#informer?.close();
  }

  #startInformer(): Informer {
    const { namespace, ...rest } = this.#options;
    const handler = {
      onReplace: (secrets: readonly KubeSecret[]) => this.#replace(secrets),
      onUpsert: (secret: KubeSecret) => this.#put(secret),
      onDelete: ({ metadata }: KubeSecret) => this.#remove(metadata.name),
    };
    const selector = { namespace, labelSelector: MANAGED_SELECTOR };
    return runInformer({ ...rest, resource: SECRETS, selector, handler });
  }

  #replace(secrets: readonly KubeSecret[]): void {
    const before = this.#known;
    if (before === undefined) {
      this.#known = new Map(secrets.flatMap((secret) => toEntry(secret) ?? []));
      this.#emit({ kind: "reset" });
      return;
    }
    const names = new Set(secrets.map(({ metadata }) => metadata.name));
    for (const name of [...before.keys()]) if (!names.has(name)) this.#remove(name);
    for (const secret of secrets) this.#put(secret);
  }

  #put(secret: KubeSecret): void {
    const { name, resourceVersion } = secret.metadata;
    const before = this.#known?.get(name);
    if (before !== undefined && before.resourceVersion === resourceVersion) return;
    // A secret whose Secret has lost its data key has changed too.
    const id = managedId(secret) ?? before?.id;
    if (id === undefined) return;
    this.#known?.set(name, { id, resourceVersion });
    this.#emit({ kind: "put", id });
  }

  #remove(name: string): void {
    const before = this.#known?.get(name);
    if (before === undefined) return;
    this.#known?.delete(name);
    this.#emit({ kind: "delete", id: before.id });
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

function toEntry(secret: KubeSecret): [[string, KnownSecret]] | undefined {
  const id = managedId(secret);
  const { name, resourceVersion } = secret.metadata;
  return id && [[name, { id, resourceVersion }]];
}
