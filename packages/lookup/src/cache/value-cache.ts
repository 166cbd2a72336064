import { isSecretsError, SecretsError, type SecretValue } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { type FetchAll, FetchBatcher } from "./fetch-batcher.ts";
import type { LookupMetrics } from "./lookup-metrics.ts";

/** How long what was fetched is used. */
export interface Expiry {
  /** Of a value. */
  readonly ttlMs: number;
  /** Of "not found". */
  readonly negativeTtlMs: number;
  /** How much longer either is used while the backend is down. */
  readonly staleMs: number;
}

export interface ValueCacheOptions<Id> {
  readonly fetchAll: FetchAll<Id>;
  readonly expiry: Expiry;
  /** Over this, what was not asked for lately is forgotten. Counted: values, names and a share for keeping them. */
  readonly maxBytes: number;
  /** Of one call to the backend. */
  readonly timeoutMs: number;
  /** Slots that are asked of the backend at a time, `cache.fetchesUnderWay`: they wait in memory as long as it doesn't answer. */
  readonly maxFetches?: number;
  /** Milliseconds that only grow, such as `performance.now`. */
  readonly clock: () => number;
  readonly log: Logger;
  readonly metrics: LookupMetrics;
}

/** What to look up: `text` is its name in the cache. */
export interface Slot<Id> {
  readonly text: string;
  readonly id: Id;
}

/** What is known of a slot: its value, or that it has none. */
export interface Known {
  readonly value: SecretValue | undefined;
}

interface Entry extends Known {
  readonly bytes: number;
  readonly refreshAt: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** No fetch in the background before this. */
  retryAt: number;
  /** The last fetch found the backend down, so that nobody need wait for the next one to find the same. */
  backendDown: boolean;
  /** Asked for since eviction last came by. */
  used: boolean;
}

interface Flight {
  readonly known: Promise<Known>;
  /** False once the slot was dropped: what the fetch brings may be older than what was dropped. */
  current: boolean;
}

/** The part of its life after which an entry that is asked for is fetched anew in the background. */
const REFRESH_AFTER = 0.8;
const RETRY_MS = 5_000;
const DEFAULT_MAX_FETCHES = 20_000;
/** Rough cost of an entry beside its value and name: what V8 spends on the objects. */
const ENTRY_BYTES = 300;

/**
 * Values in memory over a backend that is slow, may be down, and says nothing of changes. One fetch at a time for each slot,
 * whoever asks. What is dropped while it is being fetched is not put back by that fetch, so an older value never
 * takes the place of a newer one.
 */
export class ValueCache<Id> {
  readonly #options: ValueCacheOptions<Id>;
  readonly #batcher: FetchBatcher<Id>;
  /** In order of eviction. */
  readonly #entries = new Map<string, Entry>();
  readonly #flights = new Map<string, Flight>();
  #bytes = 0;

  constructor(options: ValueCacheOptions<Id>) {
    this.#options = options;
    this.#batcher = new FetchBatcher(options);
  }

  /** What may be answered at once; undefined when the backend must be asked ({@link ValueCache.fetch}). */
  peek(slot: Slot<Id>, now: number): Known | undefined {
    const entry = this.#entries.get(slot.text);
    if (entry === undefined) return undefined;
    entry.used = true;
    return now < entry.refreshAt ? entry : this.#peekDue(slot, entry, now);
  }

  /**
   * Asks the backend, or joins whoever is asking. While it is down, what is known and not too old is the answer; without that
   * the failure is thrown. Throws `store_unavailable` when too much is being asked for already.
   */
  fetch(slot: Slot<Id>): Promise<Known> {
    const underWay = this.#flights.get(slot.text);
    if (underWay) return underWay.known;
    const { maxFetches = DEFAULT_MAX_FETCHES } = this.#options;
    if (this.#flights.size >= maxFetches) return Promise.reject(tooManyFetches(maxFetches));
    const flight: Flight = { known: this.#fly(slot, () => flight.current), current: true };
    this.#flights.set(slot.text, flight);
    return flight.known;
  }

  /** Forgets a slot: the next question goes to the backend, and what is on its way from there counts for nobody else. */
  drop(text: string): void {
    this.#endFlight(text);
    this.#remove(text);
  }

  /** Forgets everything. */
  clear(): void {
    for (const flight of this.#flights.values()) flight.current = false;
    this.#flights.clear();
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** Forgets everything and ends what is under way. */
  close(): void {
    this.clear();
    this.#batcher.close();
  }

  #peekDue(slot: Slot<Id>, entry: Entry, now: number): Known | undefined {
    const isFresh = now < entry.freshUntil;
    if (!isFresh && !(entry.backendDown && now < entry.staleUntil)) return undefined;
    if (now >= entry.retryAt) {
      entry.retryAt = now + RETRY_MS;
      // It has told the log; whoever needs the value when there is none any more gets the error.
      this.fetch(slot).catch(() => {});
    }
    if (!isFresh) this.#options.metrics.expiredUsed();
    return entry;
  }

  async #fly(slot: Slot<Id>, isCurrent: () => boolean): Promise<Known> {
    const { clock, log, metrics } = this.#options;
    const started = clock();
    try {
      const known = { value: await this.#batcher.fetch(slot.id) };
      metrics.fetched("ok", clock() - started);
      if (isCurrent()) this.#put(slot.text, known, started);
      return known;
    } catch (error) {
      metrics.fetched(isSecretsError(error) ? error.code : "internal", clock() - started);
      const entry = isCurrent() ? this.#entries.get(slot.text) : undefined;
      const isDown = isSecretsError(error) && error.kind.retryable;
      if (entry === undefined) throw error;
      // Refused or unreadable is an answer: then nothing expired stands in any longer.
      entry.backendDown = isDown;
      if (!isDown || clock() >= entry.staleUntil) throw error;
      entry.retryAt = clock() + RETRY_MS;
      if (clock() >= entry.freshUntil) {
        log.warn(
          { secret: slot.text },
          "the secret manager is down: what it last said of a secret is used past its expiry",
        );
        metrics.expiredUsed();
      }
      return entry;
    } finally {
      if (isCurrent()) this.#flights.delete(slot.text);
    }
  }

  #endFlight(text: string): void {
    const flight = this.#flights.get(text);
    if (flight) flight.current = false;
    this.#flights.delete(text);
  }

  #put(text: string, { value }: Known, fetchedAt: number): void {
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

  /** Second chance: what was used since it was last looked at goes to the end instead. */
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
    `${max} secrets are being asked of the secret manager already (cache.fetchesUnderWay). Try again.`,
  );
}
