import { Code, ConnectError } from "@connectrpc/connect";
import type { HttpExchange, NodeResponse } from "@flyte-secrets/http";

/** 64 MiB: ten bodies of the largest kind. */
export const DEFAULT_BODY_BYTES = 64 * 1024 * 1024;

/**
 * The body of a request, for one reader, and what its response has in memory. The body is requested from the client
 * when it is first read. Iterating throws `unavailable` when it is evicted, `canceled` when the client disconnects.
 */
export interface RequestBody extends AsyncIterable<Uint8Array> {
  /**
   * All of it, once it has arrived. Undefined when more than `maxBytes` have arrived, or when it will not arrive. In each
   * case it can still be iterated, from its first byte.
   */
  whole(maxBytes: number): Promise<Uint8Array | undefined>;
  /**
   * Counts bytes of the response before they are written.
   * @throws ConnectError `unavailable` when there are more than 16 KiB and they do not fit beside the others. Fewer
   * never make room, because the response to a write that has been executed must not be refused, and the number of
   * requests is limited.
   */
  respond(bytes: number): void;
}

/** The memory of the bodies of all requests and responses in flight. */
export interface BodyBudget {
  /**
   * The body of a request. Its bytes, or those that its `content-length` announces, count until the response is closed,
   * as do those of the response.
   */
  read(exchange: HttpExchange): RequestBody;
  /** The bytes counted now. */
  heldBytes(): number;
}

/** Responses up to this size are not refused. */
const SMALL_RESPONSE_BYTES = 16 * 1024;

/**
 * Limits the bodies in flight to `maxBytes` (`secret.server.limits.bodyBytes`). When one needs more than is left, the
 * response that its client has not read for longest is closed, and where there is none the body that has been arriving
 * longest is evicted, so that slow clients block nobody.
 */
export function createBodyBudget(maxBytes: number): BodyBudget {
  const arriving = new Set<Upload>();
  /** The responses that are being written or read, the oldest first. */
  const responses = new Map<Upload, NodeResponse>();
  let held = 0;

  function release(upload: Upload): void {
    arriving.delete(upload);
    responses.delete(upload);
    held -= upload.heldBytes;
    upload.heldBytes = 0;
  }

  function refuse(upload: Upload): void {
    release(upload);
    upload.fail(overBudget(maxBytes));
  }

  /** Closes responses and evicts bodies that wait for their clients until so many bytes more fit, or none waits. */
  function makeRoom(more: number): void {
    for (const [other, response] of responses) {
      if (held + more <= maxBytes) return;
      // One that is still being encoded or compressed would stay in memory.
      if (response.writableLength === 0) continue;
      release(other);
      response.destroy();
    }
    for (const upload of arriving) {
      if (held + more <= maxBytes) return;
      refuse(upload);
    }
  }

  /** Counts `bytes` for an upload, which may be evicted itself. */
  function hold(upload: Upload, bytes: number): void {
    if (bytes > maxBytes) {
      refuse(upload);
      return;
    }
    const more = bytes - upload.heldBytes;
    makeRoom(more);
    if (!arriving.has(upload)) return;
    held += more;
    upload.heldBytes = bytes;
  }

  return {
    heldBytes: () => held,
    read({ req, res }) {
      const upload = new Upload();
      let begun = false;
      let closed = false;
      const leave = () => {
        if (upload.isOpen) upload.fail(new ConnectError("the client went away", Code.Canceled));
      };
      // From the beginning: the client may go away before the body is read, while credentials are checked.
      res.once("close", () => {
        closed = true;
        release(upload);
        if (begun) leave();
      });
      const begin = () => {
        if (begun) return;
        begun = true;
        if (closed) {
          leave();
          return;
        }
        arriving.add(upload);
        hold(upload, promisedBytes(req.headers["content-length"]));
        let arrived = 0;
        req.on("data", (chunk: Buffer) => {
          arrived += chunk.byteLength;
          if (upload.isOpen && arrived > upload.heldBytes) hold(upload, arrived);
          upload.push(chunk);
        });
        req.once("end", () => {
          arriving.delete(upload);
          upload.end();
        });
        req.once("close", leave);
      };
      return {
        async whole(maxBytes) {
          begin();
          return await upload.whole(maxBytes);
        },
        respond(bytes) {
          if (closed) return;
          if (bytes > SMALL_RESPONSE_BYTES) {
            makeRoom(bytes);
            // One by itself may be larger.
            if (held + bytes > maxBytes && held > upload.heldBytes) throw overBudget(maxBytes);
          }
          held += bytes;
          upload.heldBytes += bytes;
          responses.set(upload, res);
        },
        async *[Symbol.asyncIterator]() {
          begin();
          try {
            yield* upload.chunks();
          } finally {
            // A reader that stops early needs nothing more; the rest is discarded.
            if (upload.isOpen) refuse(upload);
          }
        },
      };
    },
  };
}

function promisedBytes(contentLength: string | undefined): number {
  const bytes = Number(contentLength ?? 0);
  return Number.isSafeInteger(bytes) ? Math.max(bytes, 0) : 0;
}

function overBudget(maxBytes: number): ConnectError {
  const message =
    `the bodies of all requests in flight are over ${maxBytes} bytes (secret.server.limits.bodyBytes): send this ` +
    "one again";
  return new ConnectError(message, Code.Unavailable);
}

/** A body that arrives from a client while it is read. */
class Upload {
  /** The bytes counted for it, see `BodyBudget`. */
  heldBytes = 0;
  #chunks: Uint8Array[] = [];
  #arrivedBytes = 0;
  #end: { readonly error?: Error } | undefined;
  #wake = () => {};

  /** Whether more may arrive. */
  get isOpen(): boolean {
    return this.#end === undefined;
  }

  push(chunk: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#chunks.push(chunk);
    this.#arrivedBytes += chunk.byteLength;
    this.#wake();
  }

  /** Marks it as complete. */
  end(): void {
    this.#end ??= {};
    this.#wake();
  }

  /** Drops unread bytes and makes the reader throw. Without effect once it has ended. */
  fail(error: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#chunks = [];
    this.#wake();
  }

  /** All of its bytes once it is complete; undefined when it fails, or when more than `maxBytes` are there. */
  async whole(maxBytes: number): Promise<Uint8Array | undefined> {
    while (this.isOpen && this.#arrivedBytes <= maxBytes) await this.#change();
    if (this.isOpen || this.#end?.error || this.#arrivedBytes > maxBytes) return undefined;
    const [first, ...more] = this.#chunks;
    return more.length === 0 ? (first ?? new Uint8Array()) : Buffer.concat(this.#chunks);
  }

  /** Its bytes as they arrive; for one reader. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const [chunk] = this.#chunks.splice(0, 1);
      if (chunk !== undefined) yield chunk;
      else if (this.#end === undefined) await this.#change();
      else if (this.#end.error) throw this.#end.error;
      else return;
    }
  }

  /** Resolves when bytes arrive, or the end. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
