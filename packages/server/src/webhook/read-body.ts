import type { IncomingMessage } from "node:http";

/** A request's whole body, or that it is over the limit; nothing is said when the client goes away. */
export type Body = { readonly tooLong: false; readonly text: string } | { readonly tooLong: true };

/**
 * Collects the body of a request and calls `done` once: at its end, or as soon as it is over `maxBytes`. What comes of it
 * then is let pass, unread, so that the client gets to read an answer; that a body comes to an end is for the server to see to.
 */
export function readBody(req: IncomingMessage, maxBytes: number, done: (body: Body) => void): void {
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let length = 0;
  const onData = (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxBytes) {
      req.off("data", onData).off("end", onEnd).resume();
      done({ tooLong: true });
    } else if (first === undefined) first = chunk;
    else if (rest === undefined) rest = [first, chunk];
    else rest.push(chunk);
  };
  const onEnd = () => {
    const bytes = rest === undefined ? first : Buffer.concat(rest, length);
    done({ tooLong: false, text: bytes === undefined ? "" : bytes.toString() });
  };
  req.on("data", onData).on("end", onEnd);
}

/** Whether a request says that its body is JSON, which a web page can't say of a body without asking first. */
export function isJson({ headers }: IncomingMessage): boolean {
  const type = headers["content-type"] ?? "";
  return type === "application/json" || /^application\/json\s*(;|$)/i.test(type);
}
