import { join, resolve } from "node:path";
import type { Environment } from "../environment.ts";
import { readFileIfThere } from "./read-file-if-there.ts";

/** The embedded server that this user runs on this machine. */
export interface EmbeddedServer {
  readonly endpoint: string;
  /** Undefined when it runs without authentication. */
  readonly token: string | undefined;
}

/**
 * Finds the running embedded server by what it left in its data directory (`$SECRET_STORE_PATH`, else `~/.flyte-secrets`).
 * Undefined when there is none, also when it has died without tidying up.
 */
export async function findEmbeddedServer({ variables, home, cwd }: Environment): Promise<EmbeddedServer | undefined> {
  const directory = resolve(cwd, (variables.SECRET_STORE_PATH || "~/.flyte-secrets").replace(/^~(?=\/|$)/, home));
  const text = await readOwn(join(directory, "server.json"));
  const server = text === undefined ? undefined : parseServer(text);
  if (server === undefined || !isAlive(server.pid)) return undefined;
  const token = (await readOwn(join(directory, "token")))?.trim();
  return { endpoint: server.endpoint, token: token || undefined };
}

/** What this user may not read is not this user's, and no reason to fail for those who name another service. */
const readOwn = (path: string): Promise<string | undefined> => readFileIfThere(path).catch(() => undefined);

/** Undefined for a file that is being written: the server is not there yet. */
function parseServer(text: string): { endpoint: string; pid: number } | undefined {
  try {
    const { endpoint, pid }: { endpoint?: unknown; pid?: unknown } = JSON.parse(text);
    return typeof endpoint === "string" && typeof pid === "number" ? { endpoint, pid } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // There, but somebody else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
