import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";

/** How many connections a listener holds. */
export interface ConnectionLimits {
  /** At a time. Default 4,096 (`secret.server.limits.connections`). */
  readonly maxConnections: number;
  /** Those of one remote address; 0: no limit of their own. Default 1,024 (`secret.server.limits.connectionsPerAddress`). */
  readonly maxConnectionsPerAddress: number;
  /** For a new connection to come with its first request, before those that have carried one go before it. Default 2 s. */
  readonly firstRequestMs?: number;
}

/** A connection as the table sees it. */
export interface TrackedConnection {
  /** What TCP gave, below TLS. */
  readonly socket: Socket;
  /**
   * Takes in a request of HTTP/1.1, until `endRequest`. False when it is not to be looked at, since the connection is
   * closed, or is ended now: for too many requests that wait for their answers. Flyte's clients, API servers and
   * browsers send one at a time, and Node hands out all requests of a piece of 64 KiB, a thousand and more, before it
   * looks at another connection.
   */
  takeRequest(): boolean;
  endRequest(): void;
  /** From here on until `endAnswer` the client waits for the server, and the connection isn't ended to make room. For each request. */
  beginAnswer(): void;
  endAnswer(): void;
}

/** Counts a request as under way from when it has `arrived` (its stream's `end`, or at once) until `over` is closed. */
export function followRequest(
  connection: TrackedConnection,
  { arrived, over }: { readonly arrived: EventEmitter | true; readonly over: EventEmitter },
): void {
  let begun = false;
  const begin = () => {
    begun = true;
    connection.beginAnswer();
  };
  if (arrived === true) begin();
  else arrived.once("end", begin);
  over.once("close", () => begun && connection.endAnswer());
}

/** Told when a limit ends or keeps out a connection; `address` where it is that of one address. At most once a minute. */
export type ObserveCrowd = (crowd: { readonly address?: string }) => void;

/** The open connections of a listener. */
export interface ConnectionTable {
  /** Takes in a new connection. At a limit that ends another; when none waits for its client, this one, and the answer is false. */
  add(socket: Socket): boolean;
  /** The connection that has this socket, or whose TLS has it. Undefined once it is closed. */
  find(socket: Socket): TrackedConnection | undefined;
}

/** The requests of one connection that may wait for their answers. */
const MAX_REQUESTS = 32;
const FIRST_REQUEST_MS = 2_000;
const OBSERVED_MS = 60_000;

/**
 * Keeps connections within their limits by ending, for a new one, another that waits for its client: one that never carried a
 * request (unless it is new, and there are others) before one that did, and of these the one that has waited longest. Who
 * opens connections and leaves them idle so pushes out their own, and who comes with a request is served.
 */
export function createConnectionTable(limits: ConnectionLimits, observe: ObserveCrowd = () => {}): ConnectionTable {
  const all: Pool = new Set();
  const byAddress = new Map<string, Pool>();
  const bySocket = new WeakMap<Socket, Entry>();
  // TLS shows a socket of its own, whose other end is the same.
  const byPeer = new Map<string, Entry>();
  let observed = -OBSERVED_MS;

  function makeRoom(crowd: Pool, address: string): boolean {
    const now = performance.now();
    if (now - observed >= OBSERVED_MS) {
      observed = now;
      observe(crowd === all ? {} : { address });
    }
    return endLongestWaiting(crowd, limits.firstRequestMs ?? FIRST_REQUEST_MS);
  }

  return {
    add(socket) {
      const address = socket.remoteAddress ?? "";
      const ofAddress: Pool = byAddress.get(address) ?? new Set();
      const { maxConnections, maxConnectionsPerAddress } = limits;
      const isCrowded = maxConnectionsPerAddress > 0 && ofAddress.size >= maxConnectionsPerAddress;
      const crowd = isCrowded ? ofAddress : all.size >= maxConnections ? all : undefined;
      if (crowd !== undefined && !makeRoom(crowd, address)) {
        socket.destroy();
        return false;
      }
      const peer = peerOf(socket);
      const entry = new Entry(socket, () => {
        all.delete(entry);
        ofAddress.delete(entry);
        if (ofAddress.size === 0 && byAddress.get(address) === ofAddress) byAddress.delete(address);
        if (byPeer.get(peer) === entry) byPeer.delete(peer);
      });
      all.add(entry);
      byAddress.set(address, ofAddress.add(entry));
      bySocket.set(socket, entry);
      byPeer.set(peer, entry);
      return true;
    },
    find: (socket) => bySocket.get(socket) ?? byPeer.get(peerOf(socket)),
  };
}

/** Connections that share a limit, in the order in which they came. */
type Pool = Set<Entry>;

/** An open connection; calls `left` once, when it is closed. */
class Entry implements TrackedConnection {
  readonly socket: Socket;
  /** The `performance.now()` of its beginning. */
  readonly begun = performance.now();
  readonly #left: () => void;
  #requests = 0;
  #answers = 0;
  #lastAnswer: number | undefined;

  constructor(socket: Socket, left: () => void) {
    this.socket = socket;
    this.#left = left;
    socket.once("close", left);
  }

  takeRequest(): boolean {
    if (this.socket.destroyed) return false;
    this.#requests += 1;
    if (this.#requests > MAX_REQUESTS) this.end();
    return this.#requests <= MAX_REQUESTS;
  }

  endRequest(): void {
    this.#requests -= 1;
  }

  beginAnswer(): void {
    this.#answers += 1;
  }

  endAnswer(): void {
    this.#answers -= 1;
    this.#lastAnswer = performance.now();
  }

  /** Since when its client has had every answer; undefined while it waits for one, and before the first. */
  get idleSince(): number | undefined {
    return this.#answers > 0 ? undefined : this.#lastAnswer;
  }

  /** Never carried a request. */
  get isUnused(): boolean {
    return this.#answers === 0 && this.#lastAnswer === undefined;
  }

  /** Closes the connection, and counts it no longer. */
  end(): void {
    this.#left();
    this.socket.destroy();
  }
}

/** Looks at all of them, so that requests, which are many more than connections that find no room, keep no order. */
function endLongestWaiting(pool: Pool, firstRequestMs: number): boolean {
  let longestUnused: Entry | undefined;
  let longestIdle: Entry | undefined;
  for (const entry of pool) {
    if (entry.isUnused) longestUnused ??= entry;
    const { idleSince } = entry;
    if (idleSince !== undefined && idleSince < (longestIdle?.idleSince ?? Number.POSITIVE_INFINITY))
      longestIdle = entry;
  }
  const isNew = longestUnused !== undefined && performance.now() - longestUnused.begun < firstRequestMs;
  const entry = isNew ? (longestIdle ?? longestUnused) : (longestUnused ?? longestIdle);
  entry?.end();
  return entry !== undefined;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
