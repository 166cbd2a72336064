import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { diskFull, isBusy, isFull, throwIfAborted, toStoreError } from "../errors.ts";
import { RETRY_MS, type StoreDatabase } from "./database.ts";
import { databaseName } from "./directory.ts";

/** Writes that share a transaction. Each blocks the event loop for about 100 µs. */
const MAX_SHARED = 100;
/** Bytes of their values: 48 values of 1 MiB in one transaction blocked it for more than a second. */
const MAX_SHARED_BYTES = 1024 * 1024;

interface Waiting {
  readonly work: () => unknown;
  readonly signal: AbortSignal | undefined;
  readonly bytes: number;
  /** When it stops waiting for another process that has the database locked. */
  readonly end: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface SharedWriteOptions {
  /** Bytes of the value that is written. Default 0, as for a delete. */
  readonly bytes?: number;
  readonly signal?: AbortSignal | undefined;
}

type Outcome = { readonly result: unknown } | { readonly error: unknown };

/**
 * Combines concurrent writes of this process into one transaction, and so into one wait for the disk, which takes
 * longer than all the rest of a write. Each write is durable when its promise resolves; one that throws changes nothing
 * and does not affect the others. They run in the order of their calls.
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

  /**
   * As {@link StoreDatabase.write}; `work` may run more than once. Throws `store_full` while there is still room for
   * deletes.
   */
  write<T>(work: () => T, { bytes = 0, signal }: SharedWriteOptions = {}): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const end = performance.now() + this.#busyTimeoutMs;
    // It gives back what `work` gave, of which only this call knows the type.
    this.#waiting.push({ work, bytes, signal, end, resolve: resolve as (result: unknown) => void, reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Resolves when no write is waiting or in flight. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Writes of this turn of the event loop take part.
    await nextTurn();
    while (this.#waiting.length > 0) {
      this.#dropAborted();
      const isDone = this.#attempt();
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

  /** False if another process has the database locked; writes whose time is not over then keep waiting. */
  #attempt(): boolean {
    let group: readonly Waiting[] = this.#waiting.slice(0, 1);
    try {
      group = this.#nextGroup();
      for (const [each, outcome] of this.#commit(group)) {
        this.#remove(each);
        settle(each, outcome);
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

  /** As many writes as may share and as there is room for. Throws `store_full` when there is none for the first. */
  #nextGroup(): readonly Waiting[] {
    const group: Waiting[] = [];
    let sum = 0;
    for (const each of this.#waiting.slice(0, MAX_SHARED)) {
      if (group.length > 0 && sum + each.bytes > MAX_SHARED_BYTES) break;
      sum += each.bytes;
      group.push(each);
    }
    const [first] = group;
    if (this.#database.hasRoom(sum)) return group;
    if (first === undefined || this.#database.hasRoom(first.bytes)) return group.slice(0, 1);
    throw diskFull(databaseName(this.#database.directory));
  }

  #commit(group: readonly Waiting[]): readonly (readonly [Waiting, Outcome])[] {
    const transact = (some: readonly Waiting[]) =>
      this.#database.transact(() => some.map((each) => [each, this.#runOne(each.work, some.length > 1)] as const));
    try {
      return transact(group);
    } catch (error) {
      if (!isFull(error)) throw error;
    }
    // A single write needs the least room, and most of it is there once the write-ahead log has been emptied.
    this.#database.checkpoint();
    return transact(group.slice(0, 1));
  }

  /** Throws errors that end the whole transaction. */
  #runOne(work: () => unknown, isShared: boolean): Outcome {
    if (!isShared) return { result: work() };
    this.#database.statement("SAVEPOINT one").run();
    try {
      const result = work();
      this.#database.statement("RELEASE one").run();
      return { result };
    } catch (error) {
      // An error such as a full disk may have ended the transaction.
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

function settle({ resolve, reject }: Waiting, outcome: Outcome): void {
  if ("error" in outcome) reject(outcome.error);
  else resolve(outcome.result);
}
