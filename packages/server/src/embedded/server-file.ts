import { rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readPrivateFile, writePrivateFile } from "../store/private-file.ts";
import { toStoreError } from "../store/store-error.ts";

const serverFile = z.object({ endpoint: z.url(), pid: z.int().positive() });

/** A server that runs on this machine, as its data directory announces it. */
export type RunningServer = z.output<typeof serverFile>;

/**
 * Announces this process's server in `server.json` of its data directory, where CLI and SDK look for it. Of two servers on one
 * directory the later one is found.
 * @returns what takes the announcement back, unless a later server has made its own.
 */
export function announceServer(directory: string, server: RunningServer): () => void {
  const path = join(directory, "server.json");
  const text = JSON.stringify(server);
  try {
    writePrivateFile(path, `${text}\n`, { replace: true });
  } catch (error) {
    throw toStoreError(error, path);
  }
  return () => {
    if (readPrivateFile(path)?.trim() === text) rmSync(path, { force: true });
  };
}

/** The server that the data directory announces; undefined when there is none, or its process has ended without taking it back. */
export function findRunningServer(directory: string): RunningServer | undefined {
  const text = readPrivateFile(join(directory, "server.json"));
  const parsed = text === undefined ? undefined : serverFile.safeParse(parseJson(text)).data;
  return parsed !== undefined && isAlive(parsed.pid) ? parsed : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // The process is there and somebody else's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
