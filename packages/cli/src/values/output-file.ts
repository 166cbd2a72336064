import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { excerpt, SecretsError, SecretValue, systemReason } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";

/** Standard output, in the place of a file. */
export const STANDARD_OUTPUT = "-";

/** What {@link checkOutput} reads. */
export interface OutputFileOptions {
  readonly reveal?: boolean | undefined;
  readonly cli: CliContext;
}

/**
 * Checks that values may be written to `--to-file FILE`, before any is read, and returns the file's path, without links
 * in its directory. Throws `usage` for a terminal without `--reveal`, and `invalid_argument` where something else than
 * a regular file is: a link might lead into a file of somebody else's, or be `/dev/stdout`.
 */
export function checkOutput(file: string, { reveal = false, cli }: OutputFileOptions): string {
  if (file === STANDARD_OUTPUT) {
    if (!cli.stdout.isTTY || reveal) return file;
    throw new SecretsError(
      "usage",
      "a value is not shown on a terminal: pipe it, write it to a file with -o FILE, or add --reveal",
    );
  }
  try {
    const path = resolve(cli.cwd, file);
    const whole = join(realpathSync(dirname(path)), basename(path));
    const problem = describeOther(whole);
    if (problem === undefined) return whole;
    throw unwritable(file, problem);
  } catch (error) {
    throw error instanceof SecretsError ? error : unwritable(file, systemReason(error), error);
  }
}

/** What is in the file's place, when that is no regular file. */
function describeOther(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isFile()) return undefined;
  if (stats.isSymbolicLink()) return "it is a symbolic link, and none is followed; standard output is -";
  return stats.isDirectory() ? "it is a directory" : "it is no regular file; standard output is -";
}

/**
 * Writes to what {@link checkOutput} has returned: a file for this user alone, whole or not at all, in the place of one
 * that is there; or standard output. A terminal gets the text with its control characters escaped, and a line end;
 * bytes that are no text are `usage` there.
 */
export async function writeOutput(path: string, bytes: Uint8Array, { stdout }: CliContext): Promise<void> {
  if (path === STANDARD_OUTPUT) {
    if (stdout.isTTY) stdout.write(toLines(bytes));
    else stdout.raw.write(bytes);
    return;
  }
  const { writePrivateFile } = await import("@flyte-secrets/store");
  try {
    writePrivateFile(path, bytes, { replace: true });
  } catch (error) {
    throw unwritable(path, systemReason(error), error);
  }
}

function toLines(bytes: Uint8Array): string {
  const text = SecretValue.fromBytes(bytes).revealText();
  if (text === undefined) throw new SecretsError("usage", "a terminal can't show it, it is no text; use -o FILE");
  return text.endsWith("\n") ? text : `${text}\n`;
}

function unwritable(file: string, reason: string, cause?: unknown): SecretsError {
  return new SecretsError("invalid_argument", `--to-file ${excerpt(file)} cannot be written: ${reason}`, { cause });
}
