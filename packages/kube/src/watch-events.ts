import type { IncomingMessage } from "node:http";
import { pipeline, Transform } from "node:stream";
import { type ApiCall, fromStatus } from "./error.ts";
import { asObject, type KubeObject, type KubeResource, NoObjectError } from "./objects.ts";
import { BodyTooLongError, MAX_BODY_BYTES } from "./response-body.ts";

/** An event of a watch. */
export type WatchEvent<T> =
  /** The API server has accepted the watch. It is the first event. */
  | { readonly type: "OPENED" }
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T; readonly resourceVersion: string }
  /** Nothing else changed up to this version. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string }
  /** The API server has forgotten the version to resume from: list again. It is the last event. */
  | { readonly type: "EXPIRED" };

/**
 * Decodes the lines of a watch's response. Throws for every error but an expired version. What was received of an
 * object is not kept while the next one is awaited: only the event, and the caller decides what that contains by
 * `resource.decode`.
 */
export async function* decodeWatch<T extends KubeObject>(
  response: IncomingMessage,
  resource: KubeResource<T>,
  call: ApiCall,
): AsyncGenerator<WatchEvent<T>> {
  yield { type: "OPENED" };
  response.setEncoding("utf8");
  const events: AsyncIterable<WatchEvent<T>> = pipeline(
    response,
    createLineReader((line) => decodeEvent(line, resource, call)),
    // The iteration throws what failed.
    () => {},
  );
  for await (const event of events) {
    yield event;
    if (event.type === "EXPIRED") return;
  }
}

/**
 * A stream from text to what `decode` makes of each line, of at most {@link MAX_BODY_BYTES}. It is no generator, whose
 * local variables would refer to the last text until the next one comes.
 */
function createLineReader(decode: (line: string) => object): Transform {
  let rest = "";
  return new Transform({
    readableObjectMode: true,
    decodeStrings: false,
    transform(chunk: string, _encoding, done) {
      // Only the new text is searched, since one object may arrive in hundreds of chunks.
      const [end = "", ...lines] = chunk.split("\n");
      rest += end;
      try {
        for (const line of lines) {
          this.push(decode(rest));
          rest = line;
        }
        if (rest.length > MAX_BODY_BYTES) throw new BodyTooLongError(MAX_BODY_BYTES);
      } catch (error) {
        done(error instanceof Error ? error : new Error("not decoded", { cause: error }));
        return;
      }
      done();
    },
  });
}

function decodeEvent<T extends KubeObject>(line: string, resource: KubeResource<T>, call: ApiCall): WatchEvent<T> {
  const { type, object } = parseEvent(line);
  switch (type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const decoded = resource.decode(object);
      return { type, object: decoded, resourceVersion: decoded.metadata.resourceVersion ?? "" };
    }
    case "BOOKMARK":
      return { type, resourceVersion: bookmarkVersion(object) };
    case "ERROR": {
      const code = statusCode(object);
      if (code !== 410) throw fromStatus(code, object, call);
      return { type: "EXPIRED" };
    }
    default:
      throw new NoObjectError();
  }
}

function parseEvent(line: string): { readonly type: string; readonly object: unknown } {
  try {
    // Each line of an API server is such an object.
    const { type, object } = JSON.parse(line);
    if (typeof type === "string") return { type, object };
  } catch {
    // The error would quote the line.
  }
  throw new NoObjectError();
}

function statusCode(object: unknown): number {
  if (typeof object !== "object" || object === null || !("code" in object)) throw new NoObjectError();
  return Number(object.code);
}

/** A bookmark has no content but this (https://kubernetes.io/docs/reference/using-api/api-concepts/#watch-bookmarks). */
function bookmarkVersion(object: unknown): string {
  return asObject<{ metadata: { resourceVersion?: string } }>(object).metadata.resourceVersion ?? "";
}
