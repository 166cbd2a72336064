import type { IncomingMessage } from "node:http";

/** Receives a body. */
export interface BodyListener {
  /** Called before the memory of the body changes to `bytes`. */
  onSize(bytes: number): void;
  /**
   * Called once: with the whole body, or with undefined as soon as it exceeds the limit. Not called when the client
   * closes the connection before.
   */
  onBody(body: string | undefined): void;
}

/** The smallest buffer for a body that arrives in several pieces. */
const MIN_RESERVED_BYTES = 16 * 1024;

/**
 * Collects the body of a request, and returns a function that stops this and frees the memory. The rest, and everything
 * after `maxBytes`, is discarded so that the client can read the response; the server's request timeout bounds how
 * long that may take. The memory is at most about twice the body's length, however small its pieces are.
 */
export function readBody(req: IncomingMessage, maxBytes: number, listener: BodyListener): () => void {
  let bytes: Buffer | undefined;
  let length = 0;
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    bytes = undefined;
    req.off("data", onData).off("end", onEnd).resume();
  };
  const onData = (chunk: Buffer) => {
    const needed = length + chunk.length;
    if (needed > maxBytes) {
      stop();
      listener.onBody(undefined);
      return;
    }
    if (bytes === undefined) {
      // Most bodies arrive in one piece, which is not copied.
      listener.onSize(chunk.length);
      if (!isStopped) bytes = chunk;
    } else {
      if (needed > bytes.length) grow(needed);
      if (bytes !== undefined) chunk.copy(bytes, length);
    }
    length = needed;
  };
  const grow = (needed: number) => {
    const size = Math.min(Math.max(2 * needed, MIN_RESERVED_BYTES), maxBytes);
    listener.onSize(size);
    if (bytes === undefined) return;
    const larger = Buffer.allocUnsafeSlow(size);
    bytes.copy(larger, 0, 0, length);
    bytes = larger;
  };
  const onEnd = () => {
    const body = bytes === undefined ? "" : bytes.toString("utf8", 0, length);
    // The request outlives its body.
    bytes = undefined;
    listener.onBody(body);
  };
  req.on("data", onData).on("end", onEnd);
  return stop;
}

/** Whether the content type of a request is JSON. */
export function isJson({ headers }: IncomingMessage): boolean {
  const type = headers["content-type"] ?? "";
  return type === "application/json" || /^application\/json\s*(;|$)/i.test(type);
}
