import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import type { ClientEnvironment } from "../environment.ts";
import { belongsToUser, checkDirectory, connectToOwnServer, type OwnServerRoute } from "./own-server-connection.ts";

/** The server that this user runs on this machine, and a route to it that no other user can take over. */
export interface OwnServer {
  /** The TCP address of its announcement. */
  readonly endpoint: string;
  readonly route: OwnServerRoute;
  /** The token for its TCP port; undefined for the socket, and for a server without authentication. */
  readonly token: string | undefined;
}

/** The data directory of this user's server: `$SECRET_STORE_PATH`, else `~/.flyte-secrets`. */
export function resolveDataDirectory(environment: ClientEnvironment): string {
  const path = environment.variables.SECRET_STORE_PATH || "~/.flyte-secrets";
  return resolve(
    environment.cwd,
    path.replace(/^~(?=\/|$)/, () => environment.home),
  );
}

/**
 * Finds the running server of a data directory: by its socket, or on systems without sockets by the key of its proof.
 * Undefined when none is running, also after a crash, even if another process has its process id and port by now.
 * With `at`, only a server that announces this address is found.
 * @throws SecretsError `unsafe_permissions` when others than this user may write the directory, `call_refused` when
 * another server answers at the address.
 */
export async function findOwnServer(directory: string, at?: URL): Promise<OwnServer | undefined> {
  if (!(await checkDirectory(directory))) return undefined;
  const announced = parseAnnouncement(await readOwn(join(directory, "server.json")));
  if (at !== undefined && !isSameServer(announced.endpoint, at)) return undefined;
  const { endpoint, proofKey } = announced;
  const route: OwnServerRoute =
    proofKey === undefined ? { kind: "socket", directory } : { kind: "proof", endpoint, key: proofKey };
  const connection = await connectToOwnServer(route);
  if (connection === undefined) return undefined;
  connection.destroy();
  const token = route.kind === "proof" ? (await readOwn(join(directory, "token")))?.trim() : undefined;
  return { endpoint, route, token: token || undefined };
}

/** The text of a file of this user; undefined for any other file, a link or a directory. */
async function readOwn(path: string): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    return stats.isFile() && belongsToUser(stats) ? await file.readFile("utf8") : undefined;
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    return undefined;
  } finally {
    await file?.close();
  }
}

/**
 * Whether both addresses are of one server. `localhost` also counts as its loopback address, since its own certificate
 * is issued for that name.
 */
function isSameServer(announced: string, at: URL): boolean {
  const originOf = (url: URL | null) => url?.origin.replace("//localhost", "//127.0.0.1");
  return originOf(URL.parse(announced)) === originOf(at);
}

/** Parses an announcement. Without a readable one the address is `http://localhost`: the socket is enough. */
function parseAnnouncement(text: string | undefined): { endpoint: string; proofKey?: string } {
  try {
    const { endpoint, proofKey }: { endpoint?: unknown; proofKey?: unknown } = JSON.parse(text ?? "");
    if (typeof endpoint === "string" && URL.canParse(endpoint)) {
      return { endpoint, ...(typeof proofKey === "string" && { proofKey }) };
    }
  } catch {
    // Like a missing one.
  }
  return { endpoint: "http://localhost" };
}
