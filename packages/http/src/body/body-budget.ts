import { Code, ConnectError } from "@connectrpc/connect";
import type { Exchange } from "../listener/node-handler.ts";
import { Upload } from "./upload.ts";

/** 64 MiB: ten bodies of the largest kind. */
export const DEFAULT_BODY_BYTES = 64 * 1024 * 1024;

/** What the bodies of all requests under way may take together. */
export interface BodyBudget {
  /**
   * The body of a request, which is asked for when it is first read. Its bytes, or what its `content-length` promises, count until the
   * response is closed. Throws `unavailable` when it has to give way, `canceled` when the client goes away.
   */
  read(exchange: Exchange): AsyncIterable<Uint8Array>;
  /** What they take now. */
  heldBytes(): number;
}

/**
 * Bounds the bodies under way to `maxBytes` (`secret.server.limits.bodyBytes`). When one needs more than is left, the one that has been
 * arriving longest gives way, so that clients who send at their leisure hold up nobody.
 */
export function createBodyBudget(maxBytes: number): BodyBudget {
  const arriving = new Set<Upload>();
  let held = 0;

  function release(upload: Upload): void {
    arriving.delete(upload);
    held -= upload.heldBytes;
    upload.heldBytes = 0;
  }

  function refuse(upload: Upload): void {
    release(upload);
    upload.fail(overBudget(maxBytes));
  }

  /** Counts `bytes` for an upload; on the way it may be refused itself. */
  function hold(upload: Upload, bytes: number): void {
    if (bytes > maxBytes) {
      refuse(upload);
      return;
    }
    const more = bytes - upload.heldBytes;
    while (held + more > maxBytes) {
      const [longest = upload] = arriving;
      refuse(longest);
      if (longest === upload) return;
    }
    held += more;
    upload.heldBytes = bytes;
  }

  return {
    heldBytes: () => held,
    async *read({ req, res }) {
      const upload = new Upload();
      arriving.add(upload);
      res.once("close", () => release(upload));
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
      req.once("close", () => upload.fail(new ConnectError("the client went away", Code.Canceled)));
      try {
        yield* upload.chunks();
      } finally {
        // Whoever stops before the end wants no more of it, and what still comes passes by.
        if (upload.isOpen) refuse(upload);
      }
    },
  };
}

function promisedBytes(contentLength: string | undefined): number {
  const bytes = Number(contentLength ?? 0);
  return Number.isSafeInteger(bytes) ? Math.max(bytes, 0) : 0;
}

function overBudget(maxBytes: number): ConnectError {
  const message = `the bodies of all requests under way are over ${maxBytes} bytes (secret.server.limits.bodyBytes): send this one again`;
  return new ConnectError(message, Code.Unavailable);
}
