/** A body on its way from a client to who reads it. */
export class Upload {
  /** What is counted for it; see `BodyBudget`. */
  heldBytes = 0;
  #chunks: Uint8Array[] = [];
  #end: { readonly error?: Error } | undefined;
  #wake = () => {};

  /** Whether more may come. */
  get isOpen(): boolean {
    return this.#end === undefined;
  }

  push(chunk: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#chunks.push(chunk);
    this.#wake();
  }

  /** It has wholly arrived. */
  end(): void {
    this.#end ??= {};
    this.#wake();
  }

  /** Drops what hasn't been read; who reads gets the error. Without effect once it has ended. */
  fail(error: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#chunks = [];
    this.#wake();
  }

  /** All of it, as it comes; for one reader. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const [chunk] = this.#chunks.splice(0, 1);
      if (chunk !== undefined) yield chunk;
      else if (this.#end === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (this.#end.error) throw this.#end.error;
      else return;
    }
  }
}
