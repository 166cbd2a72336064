import type { Logger } from "pino";
import { type NodeHandler, type NodeRequest, type NodeResponse, replyError } from "./http-exchange.ts";

/** A request listener that may throw, or return a promise that rejects. */
export type FallibleHandler = (req: NodeRequest, res: NodeResponse) => void | Promise<void>;

/**
 * Keeps a throwing handler from ending the process: the error is logged, and the request is answered with 500, or its
 * connection closed when a response has begun.
 */
export function guardHandler(handler: FallibleHandler, log: Logger | undefined): NodeHandler {
  const fail = (req: NodeRequest, res: NodeResponse, error: unknown) => {
    log?.error({ err: error, method: req.method }, "a request could not be answered");
    try {
      if (res.headersSent) res.destroy();
      else replyError({ req, res }, INTERNAL);
    } catch {
      req.socket.destroy();
    }
  };
  return (req, res) => {
    // Node emits an error when it has seen a listener a moment before, which may have been removed since: an error
    // without a listener would end the process.
    req.on("error", ignore);
    res.on("error", ignore);
    try {
      handler(req, res)?.catch((error: unknown) => fail(req, res, error));
    } catch (error) {
      fail(req, res, error);
    }
  };
}

const INTERNAL = { status: 500, code: "internal", message: "internal error, see the server's log" };

/** Readers of the request and writers of the response have listeners of their own. */
function ignore(): void {}

/**
 * Handles a request with `Expect: 100-continue` (RFC 9110 section 10.1.1): the client is asked for the body when
 * `handler` begins to read it, and not at all when it responds without.
 */
export function continueWhenRead(handler: NodeHandler): NodeHandler {
  return (req, res) => {
    // On HTTP/1.1 the bytes after a response could be the body or the next request.
    const endsWithAnswer = req.httpVersionMajor === 1;
    if (endsWithAnswer) res.setHeader("connection", "close");
    const listen = (event: string) => {
      if (event !== "data" && event !== "readable") return;
      req.off("newListener", listen);
      if (res.headersSent) return;
      if (endsWithAnswer) res.removeHeader("connection");
      res.writeContinue();
    };
    req.on("newListener", listen);
    handler(req, res);
  };
}
