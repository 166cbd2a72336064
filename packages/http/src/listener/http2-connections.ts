import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { type TrackedConnection, trackRequest } from "./connection-table.ts";
import type { NodeHandler, NodeRequest } from "./http-exchange.ts";
import type { ListenerLimits } from "./listener-limits.ts";

export interface Http2Connections {
  /** Serves HTTP/2 on an accepted connection, with or without TLS. */
  accept(socket: Socket, connection: TrackedConnection): void;
  /** Lets the requests in flight finish and accepts no others. */
  close(): void;
}

/** The handlers of requests, and of those with `Expect: 100-continue`. */
export interface RequestHandlers {
  readonly onRequest: NodeHandler;
  readonly onExpect: NodeHandler;
}

/**
 * How many streams a client may reset on one connection, at once and then each second, before the connection is closed
 * (RFC 9113 section 10.5): twice the streams that may be open. With Node's own burst of 1,000 the server is busy for a
 * second.
 */
const RESETS = { streamResetBurst: 256, streamResetRate: 33 };

/** Skips the handler for a request that is reset in the same bytes that it arrived in. */
function unlessReset(handler: NodeHandler): NodeHandler {
  return (req, res) => void setImmediate(() => !isReset(req) && handler(req, res));
}

function isReset(req: NodeRequest): boolean {
  return "stream" in req && (req.stream.closed || req.stream.destroyed);
}

/** HTTP/2 with the limits that Node enforces for HTTP/1.1 only. */
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
          trackRequest(connection, { arrived: stream.endAfterHeaders || stream, over: stream });
        });
        session.once("close", () => {
          sessions.delete(session);
          // Node waits without a limit for the client to close its side too.
          setTimeout(() => socket.destroy(), limits.headersTimeoutMs).unref();
        });
      };
      // As Node's HTTP/2 server has it. Sockets of its HTTP/1.1 server stay half open when a client closes them, and then
      // nobody is told that the client is gone.
      socket.allowHalfOpen = false;
      server.once("session", adopt).emit("connection", socket);
      server.off("session", adopt);
    },
    close() {
      for (const session of sessions) session.close();
    },
  };
}

/**
 * Closes a connection without a request after `idleTimeoutMs`, whatever frames it sends meanwhile. Resets a request
 * that has not arrived completely after `requestTimeoutMs`, and one without traffic for `idleTimeoutMs`, whose response
 * nobody reads.
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
