import { isSecretsError, SecretsError, type SecretValue } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { type FetchAll, FetchBatcher } from "./fetch-batcher.ts";
import type { LookupMetrics } from "./lookup-metrics.ts";

/** How long a fetched answer is used. */
export interface Expiry {
  /** Life of a value. */
  readonly ttlMs: number;
  /** Life of "not found". */
  readonly negativeTtlMs: number;
  /** How much longer either is used while the backend is down. */
  readonly staleMs: number;
}

export interface ValueCacheOptions<Id> {
  readonly fetchAll: FetchAll<Id>;
  readonly expiry: Expiry;
  /**
   * Limit of the bytes held: values, names and an allowance for each entry. Beyond it, entries not used lately are
   * evicted.
   */
  readonly maxBytes: number;
  /** Limit of one call to the backend. */
  readonly timeoutMs: number;
  /**
   * Limit of fetches in flight (`cache.fetchesUnderWay`): each waits in memory until the backend answers. Default
   * 20,000.
   */
  readonly maxFetches?: number;
  /** Monotonic milliseconds, such as `performance.now`. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly metrics: LookupMetrics;
}

/** The id of a value; `text` is its name in the cache. */
export interface CacheKey<Id> {
  readonly text: string;
  readonly id: Id;
}

/** A cached answer: the value, or undefined for "not found". */
export interface CachedValue {
  readonly value: SecretValue | undefined;
}

interface CacheEntry extends CachedValue {
  readonly bytes: number;
  readonly refreshAt: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** No fetch in the background before this. */
  retryAt: number;
  /** The last fetch found the backend down, so callers need not wait for the next one to find the same. */
  backendDown: boolean;
  /** Used since eviction last passed it. */
  used: boolean;
}

interface InFlightFetch {
  readonly answer: Promise<CachedValue>;
  /** False once the key was dropped: the answer may be older than the change that dropped it. */
  current: boolean;
}

/** Fraction of its life after which a used entry is fetched again in the background. */
const REFRESH_AFTER = 0.8;
const RETRY_MS = 5_000;
const DEFAULT_MAX_FETCHES = 20_000;
/** Approximate size of an entry without its value and name, as V8 stores it. */
const ENTRY_BYTES = 300;

/**
 * Values in memory over a backend that is slow, may be down, and reports no changes. There is one fetch at a time for
 * each key, shared by all callers. A fetch does not store its answer if its key was dropped meanwhile, so an older
 * value never replaces a newer one.
 */
export class ValueCache<Id> {
  readonly #options: ValueCacheOptions<Id>;
  readonly #batcher: FetchBatcher<Id>;
  /** In order of eviction. */
  readonly #entries = new Map<string, CacheEntry>();
  readonly #inFlight = new Map<string, InFlightFetch>();
  #bytes = 0;

  constructor(options: ValueCacheOptions<Id>) {
    this.#options = options;
    this.#batcher = new FetchBatcher(options);
  }

  /** The answer that may be used at once; undefined if it has to be fetched ({@link ValueCache.fetch}). */
  peek(key: CacheKey<Id>, now: number): CachedValue | undefined {
    const entry = this.#entries.get(key.text);
    if (entry === undefined) return undefined;
    entry.used = true;
    return now < entry.refreshAt ? entry : this.#peekDue(key, entry, now);
  }

  /**
   * Fetches from the backend, or joins the fetch in flight. While the backend is down, the last answer is returned if
   * it is not too old; otherwise the failure is thrown. Throws `store_unavailable` if too many fetches are in flight.
   */
  fetch(key: CacheKey<Id>): Promise<CachedValue> {
    const running = this.#inFlight.get(key.text);
    if (running) return running.answer;
    const { maxFetches = DEFAULT_MAX_FETCHES } = this.#options;
    if (this.#inFlight.size >= maxFetches) return Promise.reject(tooManyFetches(maxFetches));
    const started: InFlightFetch = { answer: this.#startFetch(key, () => started.current), current: true };
    this.#inFlight.set(key.text, started);
    return started.answer;
  }

  /** Forgets a key: the next lookup fetches it, and a fetch in flight answers only those who already wait for it. */
  drop(text: string): void {
    this.#detach(text);
    this.#remove(text);
  }

  /** Forgets everything. */
  clear(): void {
    for (const running of this.#inFlight.values()) running.current = false;
    this.#inFlight.clear();
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** Forgets everything and aborts the fetches in flight. */
  close(): void {
    this.clear();
    this.#batcher.close();
  }

  #peekDue(key: CacheKey<Id>, entry: CacheEntry, now: number): CachedValue | undefined {
    const isFresh = now < entry.freshUntil;
    if (!isFresh && !(entry.backendDown && now < entry.staleUntil)) return undefined;
    if (now >= entry.retryAt) {
      entry.retryAt = now + RETRY_MS;
      // The failure is logged; it is thrown to whoever needs the value once the entry is too old.
      this.fetch(key).catch(() => {});
    }
    if (!isFresh) this.#options.metrics.staleServed();
    return entry;
  }

  async #startFetch(key: CacheKey<Id>, isCurrent: () => boolean): Promise<CachedValue> {
    const { clock, log, metrics } = this.#options;
    const started = clock();
    try {
      const answer = { value: await this.#batcher.fetch(key.id) };
      metrics.fetched("ok", clock() - started);
      if (isCurrent()) this.#put(key.text, answer, started);
      return answer;
    } catch (error) {
      metrics.fetched(isSecretsError(error) ? error.code : "internal", clock() - started);
      const entry = isCurrent() ? this.#entries.get(key.text) : undefined;
      const isDown = isSecretsError(error) && error.kind.retryable;
      if (entry === undefined) throw error;
      // A refusal or an unreadable value is an answer: no stale value may stand in for it.
      entry.backendDown = isDown;
      if (!isDown || clock() >= entry.staleUntil) throw error;
      entry.retryAt = clock() + RETRY_MS;
      if (clock() >= entry.freshUntil) {
        log.warn({ secret: key.text }, "the secret manager is down: its last answer is used past its expiry");
        metrics.staleServed();
      }
      return entry;
    } finally {
      if (isCurrent()) this.#inFlight.delete(key.text);
    }
  }

  #detach(text: string): void {
    const running = this.#inFlight.get(text);
    if (running) running.current = false;
    this.#inFlight.delete(text);
  }

  #put(text: string, { value }: CachedValue, fetchedAt: number): void {
    this.#remove(text);
    const { ttlMs, negativeTtlMs, staleMs } = this.#options.expiry;
    const life = value === undefined ? negativeTtlMs : ttlMs;
    const bytes = ENTRY_BYTES + text.length + (value?.byteLength ?? 0);
    if (bytes > this.#options.maxBytes) return;
    this.#entries.set(text, {
      value,
      bytes,
      refreshAt: fetchedAt + life * REFRESH_AFTER,
      freshUntil: fetchedAt + life,
      staleUntil: fetchedAt + life + staleMs,
      retryAt: 0,
      backendDown: false,
      used: true,
    });
    this.#bytes += bytes;
    this.#evict();
  }

  #remove(text: string): void {
    this.#bytes -= this.#entries.get(text)?.bytes ?? 0;
    this.#entries.delete(text);
  }

  /** Second chance: an entry that was used since eviction last passed it moves to the end instead. */
  #evict(): void {
    for (const [text, entry] of this.#entries) {
      if (this.#bytes <= this.#options.maxBytes) return;
      this.#entries.delete(text);
      if (entry.used) {
        entry.used = false;
        this.#entries.set(text, entry);
      } else this.#bytes -= entry.bytes;
    }
  }
}

function tooManyFetches(max: number): SecretsError {
  return new SecretsError(
    "store_unavailable",
    `${max} secrets are already being fetched from the secret manager (cache.fetchesUnderWay). Try again.`,
  );
}
