import type { Socket } from "node:net";
import type { NodeRequest, NodeResponse } from "./node-handler.ts";

/** The requests of one connection that may wait for their answers. Flyte's clients, API servers and browsers send one at a time. */
const MAX_WAITING = 32;

/**
 * Ends HTTP/1.1 connections whose clients send more requests ahead than {@link MAX_WAITING}. Node hands out all requests of a piece of
 * 64 KiB, a thousand and more, before it looks at another connection. Gives a function that says of each request whether it is
 * to be answered.
 */
export function boundPipelines(): (req: NodeRequest, res: NodeResponse) => boolean {
  const waiting = new WeakMap<Socket, number>();
  return ({ socket }, res) => {
    // Of an ended connection the rest of the piece comes all the same.
    if (socket.destroyed) return false;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > MAX_WAITING) {
      socket.destroy();
      return false;
    }
    waiting.set(socket, count);
    res.once("close", () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
    return true;
  };
}
