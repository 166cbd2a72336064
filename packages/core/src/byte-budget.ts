/**
 * Counts the bytes that a cache holds. One that is emptied as a whole when it is full costs nothing to look into, and what it
 * forgets is made again. For caches that foreign text reaches: entries alone say nothing of how much memory they take.
 */
export class ByteBudget {
  readonly #maxBytes: number;
  readonly #empty: () => void;
  #bytes = 0;

  /** `empty` forgets everything that was admitted. */
  constructor(maxBytes: number, empty: () => void) {
    this.#maxBytes = maxBytes;
    this.#empty = empty;
  }

  /** Makes room for an entry of about `bytes`; false, with nothing done, for one that is larger than the whole cache may be. */
  admit(bytes: number): boolean {
    if (bytes > this.#maxBytes) return false;
    if (this.#bytes + bytes > this.#maxBytes) {
      this.#empty();
      this.#bytes = 0;
    }
    this.#bytes += bytes;
    return true;
  }
}
