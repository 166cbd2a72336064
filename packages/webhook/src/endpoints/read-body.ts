import type { IncomingMessage } from "node:http";

/** Hears of a body. */
export interface BodyListener {
  /** Told before the body takes up another amount of memory. */
  onSize(bytes: number): void;
  /** Called once: with the body at its end, or with undefined as soon as it is over the limit. Not called when the client goes away. */
  onBody(body: string | undefined): void;
}

/** So much is reserved at least for a body that comes in pieces. */
const MIN_RESERVED_BYTES = 16 * 1024;

/**
 * Collects the body of a request, and gives a function that stops it and forgets what has come. What comes afterwards, or after
 * `maxBytes`, is let pass, unread, so that the client gets to read an answer; that a body comes to an end is for the server to see
 * to. However small the pieces are that a body comes in, it takes up no more than about twice its length.
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
      // Most come in one piece, which need not be copied.
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
  const onEnd = () => listener.onBody(bytes === undefined ? "" : bytes.toString("utf8", 0, length));
  req.on("data", onData).on("end", onEnd);
  return stop;
}

/** Whether a request says that its body is JSON. */
export function isJson({ headers }: IncomingMessage): boolean {
  const type = headers["content-type"] ?? "";
  return type === "application/json" || /^application\/json\s*(;|$)/i.test(type);
}
