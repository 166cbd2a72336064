import type { NodeHandler } from "./node-handler.ts";

/**
 * Answers a request with `Expect: 100-continue` (RFC 9110 section 10.1.1): the client is told to send the body when `handler`
 * begins to read it, and not at all when it answers without.
 */
export function continueWhenRead(handler: NodeHandler): NodeHandler {
  return (req, res) => {
    // What follows an answer on HTTP/1.1 could be the body or the next request.
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
