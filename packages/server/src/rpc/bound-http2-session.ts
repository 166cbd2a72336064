import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";

export interface Http2SessionLimits {
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/**
 * Gives an HTTP/2 connection the limits that Node keeps for HTTP/1.1 only: one without a request ends after
 * `idleTimeoutMs`, whatever frames it sends meanwhile; a request that hasn't wholly arrived after `requestTimeoutMs` is reset,
 * and so is one on which nothing moves for `idleTimeoutMs`, since nobody reads the answer.
 */
export function boundHttp2Session(session: ServerHttp2Session, limits: Http2SessionLimits): void {
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
