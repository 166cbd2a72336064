import type { IncomingMessage } from "node:http";
import type { MaybePromise } from "@flyte-secrets/core";
import type { Reply } from "@flyte-secrets/http";

/** Requests the body of a request. */
export interface BodyReader {
  /** The maximum size; a longer body is answered with 413 before it is complete. */
  readonly maxBytes: number;
  /** Handles the request with its complete body. May throw. */
  readonly read: (body: string) => MaybePromise<Reply>;
}

/**
 * A request handler behind a listener. It is called with the head of a request (method, path, credentials) and returns
 * either the response or a reader of the body. The body must be JSON, which a web page cannot send to another site
 * without a preflight request. An endpoint has no access to the response and registers no callbacks, so that whatever
 * it throws, at once or later, affects this request alone.
 */
export type Endpoint = (req: IncomingMessage) => MaybePromise<Reply> | BodyReader;
