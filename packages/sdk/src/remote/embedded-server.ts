import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import type { ClientEnvironment } from "../environment.ts";
import {
  belongsToUser,
  checkDirectory,
  connectToEmbeddedServer,
  type EmbeddedServerRoute,
} from "./embedded-server-connection.ts";

/** The embedded server that this user runs on this machine, and the way to it that nobody else can take. */
export interface EmbeddedServer {
  /** The TCP address that it announces. */
  readonly endpoint: string;
  readonly route: EmbeddedServerRoute;
  /** What it asks for on its TCP port; undefined on the socket, and when it runs without authentication. */
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
 * Finds the running embedded server of a data directory: by its socket, or where there can be none, by the key with
 * which it proves itself. Undefined when none runs, also when it has died without tidying up, whoever has its process
 * number and port now. With `at`, only a server that announces that address.
 * @throws SecretsError `unsafe_permissions` when the directory isn't this user's alone to write, `call_refused` when
 * somebody else answers at the address.
 */
export async function findEmbeddedServer(directory: string, at?: URL): Promise<EmbeddedServer | undefined> {
  if (!(await checkDirectory(directory))) return undefined;
  const announced = parseAnnouncement(await readOwn(join(directory, "server.json")));
  if (at !== undefined && !isSameServer(announced.endpoint, at)) return undefined;
  const { endpoint, proofKey } = announced;
  const route: EmbeddedServerRoute =
    proofKey === undefined ? { kind: "socket", directory } : { kind: "proof", endpoint, key: proofKey };
  const connection = await connectToEmbeddedServer(route);
  if (connection === undefined) return undefined;
  connection.destroy();
  const token = route.kind === "proof" ? (await readOwn(join(directory, "token")))?.trim() : undefined;
  return { endpoint, route, token: token || undefined };
}

/** A file of this user's; what is somebody else's, a link or no file counts as not there. */
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

/** Whether they name one server: `localhost` is what it is also called by, and what its own certificate is for. */
function isSameServer(announced: string, at: URL): boolean {
  const originOf = (url: URL | null) => url?.origin.replace("//localhost", "//127.0.0.1");
  return originOf(URL.parse(announced)) === originOf(at);
}

/** The address alone for a file that is being written, or none: the socket is enough. */
function parseAnnouncement(text: string | undefined): { endpoint: string; proofKey?: string } {
  try {
    const { endpoint, proofKey }: { endpoint?: unknown; proofKey?: unknown } = JSON.parse(text ?? "");
    if (typeof endpoint === "string" && URL.canParse(endpoint)) {
      return { endpoint, ...(typeof proofKey === "string" && { proofKey }) };
    }
  } catch {
    // As when there is none.
  }
  return { endpoint: "http://localhost" };
}
