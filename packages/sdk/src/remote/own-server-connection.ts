import { createHmac, randomBytes } from "node:crypto";
import { on, once } from "node:events";
import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { Agent } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { SecretsError } from "@flyte-secrets/core";

/** A route to the user's own server that no other user's server can take over. */
export type OwnServerRoute =
  /** By the socket in its data directory. */
  | { readonly kind: "socket"; readonly directory: string }
  /** By TCP. Every connection begins with a proof that the server has the key of its announcement. */
  | { readonly kind: "proof"; readonly endpoint: string; readonly key: string };

/** The time limit of connecting and of the proof together. */
const LIMIT_MS = 5_000;
/** Enough to keep a server busy. */
const MAX_CONNECTIONS = 8;
const MAX_ANSWER_BYTES = 4096;
/** An HMAC-SHA256 in hex. */
const PROOF_LENGTH = 64;

/**
 * An agent whose requests all take this route, whatever their address. A connection serves the requests that are
 * waiting and is closed when there are none: many calls share a few connections, and none outlives a restart of the
 * server.
 */
export function createOwnServerAgent(route: OwnServerRoute): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  agent.keepSocketAlive = () => false;
  agent.createConnection = (_options, callback) => {
    connectToOwnServer(route).then(
      (socket) => (socket ? callback?.(null, socket) : callback?.(notRunning(route), NO_SOCKET)),
      (error: Error) => callback?.(error, NO_SOCKET),
    );
    return undefined;
  };
  return agent;
}

/** Node's types require a stream even with an error, and Node ignores it. */
const NO_SOCKET = undefined as unknown as Duplex;

/**
 * Opens a connection to the server; undefined when no server listens there.
 * @throws SecretsError `unsafe_permissions` when directory or socket belong to another user, `call_refused` when the
 * proof is wrong.
 */
export async function connectToOwnServer(route: OwnServerRoute): Promise<Socket | undefined> {
  const socket = route.kind === "socket" ? connectSocket(route.directory) : connectTcp(route.endpoint);
  if (socket === undefined) return undefined;
  if (!(await isConnected(socket))) return undefined;
  if (route.kind === "proof") await requireProof(socket, route);
  return socket;
}

/**
 * Opens the directory, checks it, and connects through its descriptor (where Linux's `/proc` exists): the directory
 * cannot be replaced between check and use.
 */
function connectSocket(directory: string): Socket | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    checkOwner(directory, fstatSync(descriptor));
    const opened = `/proc/self/fd/${descriptor}`;
    const path = join(existsSync(opened) ? opened : directory, "server.sock");
    const stats = lstatSync(path);
    if (!stats.isSocket()) return undefined;
    checkOwner(join(directory, "server.sock"), stats);
    return connect(path);
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function connectTcp(endpoint: string): Socket {
  const { protocol, hostname, port } = new URL(endpoint);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (protocol !== "https:") return connect({ host, port: Number(port || 80) });
  // Its certificate may be one that it made itself: the proof says whose server it is.
  return connectTls({ host, port: Number(port || 443), ALPNProtocols: ["http/1.1"], rejectUnauthorized: false });
}

/** False when nobody listens there. */
async function isConnected(socket: Socket): Promise<boolean> {
  try {
    await once(socket, "encrypted" in socket ? "secureConnect" : "connect", { signal: AbortSignal.timeout(LIMIT_MS) });
    return true;
  } catch {
    drop(socket);
    return false;
  }
}

/** Asks for the HMAC of a nonce, and leaves the connection as it was for the request that follows. */
async function requireProof(
  socket: Socket,
  { endpoint, key }: Extract<OwnServerRoute, { kind: "proof" }>,
): Promise<void> {
  const nonce = randomBytes(32).toString("hex");
  const expected = createHmac("sha256", key).update(nonce).digest("hex");
  socket.write(`GET /server-proof?nonce=${nonce} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  const answer = await readAnswer(socket);
  if (answer === expected) return;
  drop(socket);
  throw new SecretsError(
    "call_refused",
    `${endpoint} is not the server that this user started: it gave no proof, and nothing was sent to it. ` +
      "Another program has its port; start the server again with `flyte-secrets serve`.",
  );
}

/** The body of an answer as long as a proof; undefined for any other, or none. */
async function readAnswer(socket: Socket): Promise<string | undefined> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  let text = "";
  try {
    for await (const [chunk] of on(socket, "data", { signal, close: ["end", "close"] })) {
      text += chunk.toString("latin1");
      const [head = "", body = ""] = text.split("\r\n\r\n", 2);
      if (body.length === PROOF_LENGTH) return head.startsWith("HTTP/1.1 200 ") ? body : undefined;
      if (text.length > MAX_ANSWER_BYTES) return undefined;
    }
  } catch {
    // Broken, or too slow.
  }
  return undefined;
}

/** Closes the socket and ignores its later errors. */
function drop(socket: Socket): void {
  socket.on("error", () => {}).destroy();
}

function notRunning(route: OwnServerRoute): SecretsError {
  return new SecretsError(
    "store_unavailable",
    `The server of this user (${describeRoute(route)}) is not running any more. Start it with \`flyte-secrets serve\`.`,
  );
}

/** The address of the server, for messages. */
export function describeRoute(route: OwnServerRoute): string {
  return route.kind === "socket" ? join(route.directory, "server.sock") : route.endpoint;
}

/**
 * Whether a file or directory belongs to this user and nobody else can write it. Windows has neither owners nor modes
 * to check.
 */
export function belongsToUser(stats: Stats): boolean {
  const user = process.geteuid?.();
  return user === undefined || (stats.uid === user && (stats.mode & 0o022) === 0);
}

/** Whether the directory exists. Throws `unsafe_permissions` when it isn't this user's, or others may write it. */
export async function checkDirectory(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || !stats.isDirectory()) return false;
  checkOwner(path, stats);
  return true;
}

/** Throws `unsafe_permissions`, with reason and remedy, for what does not {@link belongsToUser}. */
export function checkOwner(path: string, stats: Stats): void {
  if (belongsToUser(stats)) return;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
  const problem =
    stats.uid === process.geteuid?.()
      ? `can be written by other users (mode ${mode}). Run: chmod 700 ${path}`
      : `belongs to user ${stats.uid}. Set SECRET_STORE_PATH to a directory of your own, or name an endpoint`;
  throw new SecretsError("unsafe_permissions", `${path}, where the server of this user would be, ${problem}.`);
}
