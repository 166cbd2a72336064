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

const FIRST_REQUEST_MS = 2_000;
const OBSERVED_MS = 60_000;

/**
 * Keeps connections within their limits by ending, for a new one, another that waits for its client: one that never carried a
 * request (unless it is new, and there are others) before one that did, and of these the one that has waited longest. Who
 * opens connections and leaves them idle so pushes out their own, and who comes with a request is served.
 */
export function createConnectionTable(limits: ConnectionLimits, observe: ObserveCrowd = () => {}): ConnectionTable {
  const all = createPool();
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
      const ofAddress = byAddress.get(address) ?? createPool();
      const { maxConnections, maxConnectionsPerAddress } = limits;
      const isCrowded = maxConnectionsPerAddress > 0 && ofAddress.size >= maxConnectionsPerAddress;
      const crowd = isCrowded ? ofAddress : all.size >= maxConnections ? all : undefined;
      if (crowd !== undefined && !makeRoom(crowd, address)) {
        socket.destroy();
        return false;
      }
      byAddress.set(address, ofAddress);
      const peer = peerOf(socket);
      const entry = createEntry(socket, [all, ofAddress], () => {
        if (ofAddress.size === 0 && byAddress.get(address) === ofAddress) byAddress.delete(address);
        if (byPeer.get(peer) === entry) byPeer.delete(peer);
      });
      bySocket.set(socket, entry);
      byPeer.set(peer, entry);
      return true;
    },
    find: (socket) => bySocket.get(socket) ?? byPeer.get(peerOf(socket)),
  };
}

/** Connections that share a limit; those that wait for their client, the longest waiting first. */
interface Pool {
  size: number;
  readonly unused: Set<Entry>;
  readonly idle: Set<Entry>;
}

interface Entry extends TrackedConnection {
  /** The `performance.now()` of its beginning. */
  readonly begun: number;
  /** Closes the connection, and counts it no longer. */
  end(): void;
}

function createPool(): Pool {
  return { size: 0, unused: new Set(), idle: new Set() };
}

/** A connection in these pools until it is closed, and then calls `left`. */
function createEntry(socket: Socket, pools: readonly Pool[], left: () => void): Entry {
  let answers = 0;
  let isIn = true;
  const leave = () => {
    if (!isIn) return;
    isIn = false;
    stopWaiting();
    for (const pool of pools) pool.size -= 1;
    left();
  };
  const stopWaiting = () => {
    for (const { unused, idle } of pools) {
      unused.delete(entry);
      idle.delete(entry);
    }
  };
  const entry: Entry = {
    socket,
    begun: performance.now(),
    beginAnswer() {
      answers += 1;
      stopWaiting();
    },
    endAnswer() {
      answers -= 1;
      if (isIn && answers === 0) for (const { idle } of pools) idle.add(entry);
    },
    end() {
      leave();
      socket.destroy();
    },
  };
  for (const pool of pools) {
    pool.size += 1;
    pool.unused.add(entry);
  }
  socket.once("close", leave);
  return entry;
}

function endLongestWaiting({ unused, idle }: Pool, firstRequestMs: number): boolean {
  const [[longestUnused], [longestIdle]] = [unused, idle];
  const isNew = longestUnused !== undefined && performance.now() - longestUnused.begun < firstRequestMs;
  const entry = isNew ? (longestIdle ?? longestUnused) : (longestUnused ?? longestIdle);
  entry?.end();
  return entry !== undefined;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
