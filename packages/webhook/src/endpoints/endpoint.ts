import type { IncomingMessage } from "node:http";
import type { MaybePromise } from "@flyte-secrets/core";
import type { Reply } from "@flyte-secrets/http";

/** Wants the body of a request. */
export interface BodyReader {
  /** A longer one is answered with 413 before it has come to its end. */
  readonly maxBytes: number;
  /** Answers the request by its whole body. May throw. */
  readonly read: (body: string) => MaybePromise<Reply>;
}

/**
 * What is behind a listener. Looks at the head of a request, its method, path and credentials, and answers it or wants
 * its body, which has to be JSON: a web page can't send that to another site without asking first. An endpoint gets no
 * hold of the response and registers no callbacks, so that whatever it throws, at once or later, concerns this request
 * alone.
 */
export type Endpoint = (req: IncomingMessage) => MaybePromise<Reply> | BodyReader;
