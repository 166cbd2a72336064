import type { IncomingMessage } from "node:http";

/**
 * Longest body of a response, and longest event of a watch, in bytes. The API server takes requests of at most 3 MiB,
 * and writes a byte of an object as at most six in JSON, so that no object is longer.
 */
export const MAX_BODY_BYTES = 20 * 1024 * 1024;

/** A body that is longer than it may be. */
export class BodyTooLongError extends Error {
  override readonly name = "BodyTooLongError";
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
    this.maxBytes = maxBytes;
  }
}

/** Reads a body as text. Throws {@link BodyTooLongError}, and closes the connection, once it is too long. */
export async function readBody(response: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new BodyTooLongError(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Reads a body that nobody needs, so that its connection can be used again. */
export function discard(response: IncomingMessage): void {
  readBody(response).catch(() => {});
}
