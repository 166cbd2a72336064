import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { SecretsError, systemReason } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";

export interface WriteNewFileOptions {
  /** What named the file, for errors. */
  readonly option: string;
  readonly cli: CliContext;
}

/** What a directory answers that can't take a second name for a file, or not such a long one. */
const WITHOUT_DRAFT: ReadonlySet<unknown> = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "ENAMETOOLONG"]);

/**
 * Writes a file for this user alone, whole or not at all: one that exists is left as it is, for it might be open to
 * others, or something else. What can't be written is `invalid_argument` with the reason.
 */
export async function writeNewFile(file: string, text: string, { option, cli }: WriteNewFileOptions): Promise<void> {
  const { writePrivateFile } = await import("@flyte-secrets/store");
  const path = resolve(cli.cwd, file);
  let isWritten: boolean;
  try {
    isWritten = writeWhole();
  } catch (error) {
    throw refused(systemReason(error), error);
  }
  if (!isWritten) throw refused("it exists already");

  function writeWhole(): boolean {
    try {
      return writePrivateFile(path, text, { replace: false });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && WITHOUT_DRAFT.has(error.code))) throw error;
      return writeInPlace(path, text);
    }
  }

  function refused(why: string, cause?: unknown): SecretsError {
    return new SecretsError("invalid_argument", `${option} ${file} cannot be written: ${why}`, { cause });
  }
}

function writeInPlace(path: string, text: string): boolean {
  const descriptor = openSync(path, "wx", 0o600);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
