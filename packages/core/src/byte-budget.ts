/**
 * Limits the bytes of a cache, which is emptied as a whole when it is full: reading it then needs no bookkeeping. For
 * caches whose keys callers choose, because there a number of entries doesn't bound the memory.
 */
export class ByteBudget {
  readonly #maxBytes: number;
  readonly #empty: () => void;
  #bytes = 0;

  /** `empty` has to drop everything that was admitted. */
  constructor(maxBytes: number, empty: () => void) {
    this.#maxBytes = maxBytes;
    this.#empty = empty;
  }

  /**
   * Makes room for an entry of about `bytes`; false, with nothing done, for one that is larger than the whole cache may
   * be.
   */
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
