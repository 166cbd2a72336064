import type { connectNodeAdapter } from "@connectrpc/connect-node";

/** A request listener that fits Node's `http`, `https` and `http2` servers alike. */
export type NodeHandler = ReturnType<typeof connectNodeAdapter>;
export type NodeRequest = Parameters<NodeHandler>[0];
export type NodeResponse = Parameters<NodeHandler>[1];

/** One request with the response that is still to be given. */
export interface Exchange {
  readonly req: NodeRequest;
  readonly res: NodeResponse;
}
