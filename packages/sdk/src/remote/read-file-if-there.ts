import type { Stats } from "node:fs";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { decodeText, NOT_TEXT, SecretsError } from "@flyte-secrets/core";

/** Configuration and certificates are far smaller; what is larger is something else. */
const MAX_BYTES = 1_048_576;

/** A file as it was opened. */
export interface ReadFile {
  readonly text: string;
  readonly stats: Stats;
}

/**
 * A file's text, or undefined when there is none, or a directory or pipe in its place. `invalid_config` when it is there and can't be
 * read, or is larger than 1 MiB.
 */
export async function readFileIfThere(path: string): Promise<ReadFile | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return undefined;
    if (stats.size > MAX_BYTES) throw new SecretsError("invalid_config", `${path} is larger than ${MAX_BYTES} bytes.`);
    const text = decodeText(await file.readFile());
    if (text === undefined) throw new SecretsError("invalid_config", `${path}: ${NOT_TEXT}.`);
    return { text, stats };
  } catch (cause) {
    if (cause instanceof SecretsError) throw cause;
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new SecretsError("invalid_config", `${path} cannot be read (${String(code)}).`, { cause });
  } finally {
    await file?.close();
  }
}
