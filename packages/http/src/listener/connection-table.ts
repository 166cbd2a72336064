import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";

/** How many connections a listener holds. */
export interface ConnectionLimits {
  /** At a time. Default 4,096 (`secret.server.limits.connections`). */
  readonly maxConnections: number;
  /**
   * Those of one remote address; 0: no limit of their own. Default 1,024
   * (`secret.server.limits.connectionsPerAddress`).
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * How long a new connection has for its first request, before connections that have carried one are closed instead.
   * Default 2 s.
   */
  readonly firstRequestMs?: number;
}

/** An open connection. */
export interface TrackedConnection {
  /** The TCP socket, below TLS. */
  readonly socket: Socket;
  /**
   * Counts a request of HTTP/1.1, until `endRequest`. False when it must not be handled: the connection is closed, or
   * is closed now because too many of its requests wait for their responses. Flyte's clients, API servers and browsers
   * send one at a time, and Node hands out all requests of a piece of 64 KiB, a thousand and more, before it looks at
   * another connection.
   */
  beginRequest(): boolean;
  endRequest(): void;
  /**
   * For each request: until `endResponse` the client waits for the server, and the connection is not closed to make
   * room.
   */
  beginResponse(): void;
  endResponse(): void;
}

/**
 * Counts a request as in flight from when it has `arrived` (its stream's `end`, or at once) until `over` is closed,
 * and calls `onOver` then.
 */
export function trackRequest(
  connection: TrackedConnection,
  { arrived, over }: { readonly arrived: EventEmitter | true; readonly over: EventEmitter },
  onOver?: () => void,
): void {
  let begun = false;
  const begin = () => {
    begun = true;
    connection.beginResponse();
  };
  if (arrived === true) begin();
  else arrived.once("end", begin);
  over.once("close", () => {
    if (begun) connection.endResponse();
    onOver?.();
  });
}

/**
 * Called when a limit closes or rejects a connection; `address` where it is the limit of one address. At most once a
 * minute.
 */
export type ObserveLimit = (crowd: { readonly address?: string }) => void;

/** The open connections of a listener. */
export interface ConnectionTable {
  /**
   * Adds a new connection. At a limit that closes another; when none waits for its client, the new one is closed:
   * false.
   */
  add(socket: Socket): boolean;
  /** The connection of this socket, or whose TLS has it. Undefined once it is closed. */
  find(socket: Socket): TrackedConnection | undefined;
}

/** Requests of one connection that may wait for their responses. */
const MAX_REQUESTS = 32;
const FIRST_REQUEST_MS = 2_000;
const OBSERVED_MS = 60_000;

/**
 * Keeps connections within their limits by closing, for a new one, another that waits for its client: one that never
 * carried a request (unless it is new, and there are others) before one that did, and of these the one that has been
 * idle longest. So a client that opens connections and leaves them idle loses its own, and a client that sends a
 * request is served.
 */
export function createConnectionTable(limits: ConnectionLimits, observe: ObserveLimit = () => {}): ConnectionTable {
  const all: Pool = new Set();
  const byAddress = new Map<string, Pool>();
  const bySocket = new WeakMap<Socket, Entry>();
  // TLS has a socket of its own, with the same peer.
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
    find(socket) {
      const entry = bySocket.get(socket) ?? byPeer.get(peerOf(socket));
      // A request each looks for it: the peer of a socket takes 2 µs to name.
      if (entry !== undefined) bySocket.set(socket, entry);
      return entry;
    },
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

  beginRequest(): boolean {
    if (this.socket.destroyed) return false;
    this.#requests += 1;
    if (this.#requests > MAX_REQUESTS) this.end();
    return this.#requests <= MAX_REQUESTS;
  }

  endRequest(): void {
    this.#requests -= 1;
  }

  beginResponse(): void {
    this.#answers += 1;
  }

  endResponse(): void {
    this.#answers -= 1;
    this.#lastAnswer = performance.now();
  }

  /** When its last response ended; undefined while the client waits for one, and before the first. */
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

/**
 * Scans all of them, so that requests, which are far more frequent than rejected connections, need not maintain an
 * order.
 */
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
