import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { followRequest, type TrackedConnection } from "./connection-table.ts";
import type { ListenerLimits } from "./listener-limits.ts";
import type { NodeHandler, NodeRequest } from "./node-handler.ts";

export interface Http2Connections {
  /** Serves HTTP/2 on a connection that somebody else has accepted, with or without TLS. */
  accept(socket: Socket, connection: TrackedConnection): void;
  /** Lets the requests under way finish and takes no others. */
  close(): void;
}

/** What answers requests, and those of them that ask whether to send their body (`Expect: 100-continue`). */
export interface RequestHandlers {
  readonly onRequest: NodeHandler;
  readonly onExpect: NodeHandler;
}

/**
 * How many streams a client may reset on one connection, at once and then each second, before the connection is ended
 * (RFC 9113 section 10.5): all that may be open, twice. Node's own burst of 1,000 takes the server a second to get
 * through.
 */
const RESETS = { streamResetBurst: 256, streamResetRate: 33 };

/** A request that is reset in the bytes that it came with costs its handler nothing. */
function unlessReset(handler: NodeHandler): NodeHandler {
  return (req, res) => void setImmediate(() => !isReset(req) && handler(req, res));
}

function isReset(req: NodeRequest): boolean {
  return "stream" in req && (req.stream.closed || req.stream.destroyed);
}

/** HTTP/2 with the limits that Node keeps for HTTP/1.1 only. */
export function createHttp2Connections(
  { onRequest, onExpect }: RequestHandlers,
  limits: ListenerLimits,
): Http2Connections {
  const server = createServer({ settings: { maxConcurrentStreams: limits.maxStreams }, ...RESETS });
  server.on("request", unlessReset(onRequest)).on("checkContinue", unlessReset(onExpect));
  const sessions = new Set<ServerHttp2Session>();
  return {
    accept(socket, connection) {
      const adopt = (session: ServerHttp2Session) => {
        sessions.add(session);
        boundSession(session, limits);
        session.on("stream", (stream: ServerHttp2Stream) => {
          followRequest(connection, { arrived: stream.endAfterHeaders || stream, over: stream });
        });
        session.once("close", () => {
          sessions.delete(session);
          // Node waits for the client to close its side too, and would wait for ever.
          setTimeout(() => socket.destroy(), limits.headersTimeoutMs).unref();
        });
      };
      server.once("session", adopt).emit("connection", socket);
      server.off("session", adopt);
    },
    close() {
      for (const session of sessions) session.close();
    },
  };
}

/**
 * A connection without a request ends after `idleTimeoutMs`, whatever frames it sends meanwhile. A request that hasn't wholly
 * arrived after `requestTimeoutMs` is reset, and so is one on which nothing moves for `idleTimeoutMs`: nobody reads the answer.
 */
function boundSession(session: ServerHttp2Session, limits: ListenerLimits): void {
  let open = 0;
  let idle: NodeJS.Timeout | undefined;
  const startIdling = () => {
    if (!session.closed) idle = setTimeout(() => session.close(), limits.idleTimeoutMs);
  };
  startIdling();
  session.once("close", () => clearTimeout(idle));
  session.on("stream", (stream: ServerHttp2Stream) => {
    clearTimeout(idle);
    open += 1;
    const reset = () => stream.close(constants.NGHTTP2_CANCEL);
    const late = setTimeout(reset, limits.requestTimeoutMs);
    stream.setTimeout(limits.idleTimeoutMs, reset);
    stream.once("end", () => clearTimeout(late));
    stream.once("close", () => {
      clearTimeout(late);
      open -= 1;
      if (open === 0) startIdling();
    });
  });
}
