import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { isBusy, throwIfAborted, toStoreError } from "../store-error.ts";
import { RETRY_MS, type StoreDatabase } from "./store-database.ts";
import { databaseName } from "./store-directory.ts";

/** How many writes share a transaction: nothing else runs in this process meanwhile, some 100 µs for each. */
const MAX_SHARED = 100;

interface Waiting {
  readonly work: () => unknown;
  readonly signal: AbortSignal | undefined;
  /** When it stops waiting for another process that holds the database. */
  readonly end: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly result: unknown } | { readonly error: unknown };

/**
 * Writes of this process that are asked for at the same time share a transaction, and so one wait for the disk, which takes
 * longer than all the rest of a write. Each of them is durable when its promise resolves; one that throws changes nothing,
 * and leaves the others as they are. They run in the order in which they were asked for.
 */
export class SharedTransactions {
  readonly #database: StoreDatabase;
  readonly #busyTimeoutMs: number;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(database: StoreDatabase, busyTimeoutMs: number) {
    this.#database = database;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  /** As {@link StoreDatabase.write}; `work` may run more than once. */
  write<T>(work: () => T, signal?: AbortSignal): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const end = performance.now() + this.#busyTimeoutMs;
    // It gives back what `work` gave, of which only this call knows the type.
    this.#waiting.push({ work, signal, end, resolve: resolve as (result: unknown) => void, reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when no write is waiting or under way. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Whoever writes in this turn of the event loop takes part.
    await nextTurn();
    while (this.#waiting.length > 0) {
      this.#dropAborted();
      const isDone = this.#attempt(this.#waiting.slice(0, MAX_SHARED));
      await (isDone ? nextTurn() : delay(RETRY_MS));
    }
    this.#running = undefined;
  }

  #dropAborted(): void {
    for (const each of [...this.#waiting]) {
      try {
        throwIfAborted(each.signal);
      } catch (error) {
        this.#remove(each);
        each.reject(error);
      }
    }
  }

  /** False when another process holds the database; whoever may still wait for it then does. */
  #attempt(group: readonly Waiting[]): boolean {
    try {
      const outcomes = this.#database.transact(() => group.map(({ work }) => this.#runOne(work, group.length > 1)));
      for (const [index, each] of group.entries()) {
        this.#remove(each);
        settle(each, outcomes[index]);
      }
      return true;
    } catch (error) {
      const over = isBusy(error) ? group.filter(({ end }) => performance.now() >= end) : group;
      for (const each of over) {
        this.#remove(each);
        each.reject(toStoreError(error, databaseName(this.#database.directory)));
      }
      return over.length > 0;
    }
  }

  /** Throws what ends the whole transaction. */
  #runOne(work: () => unknown, isShared: boolean): Outcome {
    if (!isShared) return { result: work() };
    this.#database.statement("SAVEPOINT one").run();
    try {
      const result = work();
      this.#database.statement("RELEASE one").run();
      return { result };
    } catch (error) {
      // A full disk, for one, may have ended it.
      if (isBusy(error) || !this.#database.isInTransaction()) throw error;
      this.#database.statement("ROLLBACK TO one").run();
      this.#database.statement("RELEASE one").run();
      return { error: toStoreError(error, databaseName(this.#database.directory)) };
    }
  }

  #remove(each: Waiting): void {
    this.#waiting.splice(this.#waiting.indexOf(each), 1);
  }
}

function settle({ resolve, reject }: Waiting, outcome: Outcome | undefined): void {
  if (outcome && "error" in outcome) reject(outcome.error);
  else resolve(outcome?.result);
}
