import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import type { Host } from "../host.ts";

/**
 * The bytes of a file as they are; `-` is standard input, to its end. A leading `~/` is this user's home, for the shells that
 * leave it alone in `--from-file=~/x`. What cannot be read is `invalid_argument` with the reason, naming `option`.
 */
export async function readInput(path: string, option: string, host: Host): Promise<Uint8Array> {
  if (path === "-") return readAll(host);
  try {
    return await readFile(resolve(host.cwd, path.replace(/^~(?=\/)/, host.home)));
  } catch (error) {
    throw new SecretsError("invalid_argument", `${option} ${path} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function readAll(host: Host): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of host.stdin) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Why the system refused a file, in words: never the content. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
  return REASONS[code] ?? code;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "it exists already",
  EISDIR: "it is a directory",
  ENOENT: "no such file",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a directory",
  EROFS: "the file system is read-only",
};
