import type { SecretRecord } from "@flyte-secrets/core";
import type { ManagedRecord } from "./managed-record.ts";

/** What a page is cut from an index by. */
export interface IndexQuery {
  /** The name of the Secret behind which the page begins. Default: at the beginning. */
  readonly after: string | undefined;
  readonly limit: number;
  readonly includeSystem: boolean;
}

export interface IndexPage {
  readonly entries: readonly SecretRecord[];
  /** The name of the Secret behind which the next page begins; undefined on the last one. */
  readonly next: string | undefined;
}

/** Records in a chunk. A new record moves those behind it in its chunk alone. */
const MAX_CHUNK = 512;

/**
 * Records in the order of their Secrets' names, which is that of the API server. It is kept in this order: a change
 * costs two binary searches, a page its length.
 */
export class RecordIndex {
  /** Each has one record at least. */
  readonly #chunks: ManagedRecord[][] = [];

  get isEmpty(): boolean {
    return this.#chunks.length === 0;
  }

  put(object: ManagedRecord): void {
    const { name } = object.metadata;
    // Behind all others it belongs into the last chunk.
    const at = Math.min(this.#chunkOf(name), this.#chunks.length - 1);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([object]);
      return;
    }
    const position = positionOf(name, chunk);
    chunk.splice(position, chunk[position]?.metadata.name === name ? 1 : 0, object);
    if (chunk.length <= MAX_CHUNK) return;
    // Behind the last one, so that a list in order fills the chunks.
    const half = position === MAX_CHUNK ? MAX_CHUNK : MAX_CHUNK / 2;
    this.#chunks.splice(at + 1, 0, chunk.splice(half));
  }

  remove(name: string): void {
    const at = this.#chunkOf(name);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const position = positionOf(name, chunk);
    if (chunk[position]?.metadata.name !== name) return;
    chunk.splice(position, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  page({ after, limit, includeSystem }: IndexQuery): IndexPage {
    const entries: SecretRecord[] = [];
    let last: string | undefined;
    for (const { record, metadata } of this.#recordsBehind(after)) {
      if (record === undefined || (record.system && !includeSystem)) continue;
      if (entries.length === limit) return { entries, next: last };
      entries.push(record);
      last = metadata.name;
    }
    return { entries, next: undefined };
  }

  *#recordsBehind(name: string | undefined): Iterable<ManagedRecord> {
    // No name is between a name and the same with another character behind it.
    const from = name === undefined ? "" : `${name}\0`;
    const first = this.#chunkOf(from);
    for (const [at, chunk] of this.#chunks.slice(first).entries()) {
      yield* at === 0 ? chunk.slice(positionOf(from, chunk)) : chunk;
    }
  }

  /** The position of the first chunk whose last name is not before `name`. */
  #chunkOf(name: string): number {
    return search(this.#chunks.length, (at) => (this.#chunks[at]?.at(-1)?.metadata.name ?? "") < name);
  }
}

/** The position of the first record whose name is not before `name`. */
function positionOf(name: string, chunk: readonly ManagedRecord[]): number {
  return search(chunk.length, (at) => (chunk[at]?.metadata.name ?? "") < name);
}

/** The first position below `length` that is not before what is searched for, or `length`. */
function search(length: number, isBefore: (position: number) => boolean): number {
  // Lists come in order.
  if (length > 0 && isBefore(length - 1)) return length;
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
