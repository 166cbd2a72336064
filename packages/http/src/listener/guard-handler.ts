import type { Logger } from "pino";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node-handler.ts";
import { replyError } from "./reply.ts";

/** A request listener that may throw, also later, by the promise that it gives. */
export type FallibleHandler = (req: NodeRequest, res: NodeResponse) => void | Promise<void>;

/**
 * Makes a handler one that a request cannot end the process with: whatever it throws, at once or later, is logged, and the
 * request is answered with 500, or its connection ended where an answer had begun.
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
    // Node emits an error where it saw a listener a moment before, which may have been taken off since: then nobody
    // would hear it.
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

/** Whoever reads the request or writes the answer has a listener of its own. */
function ignore(): void {}
