import { createReadStream, statSync } from "node:fs";
import { resolve } from "node:path";
import { decodeText, isSecretsError, NOT_TEXT, SecretsError, systemReason } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";

/** What a file of many secrets or manifests may have; `import --max-bytes` takes more. */
export const MAX_INPUT_BYTES = 16 * 1024 * 1024;

/** The largest value that a secret takes. */
export const MAX_VALUE_BYTES = 1024 * 1024;

export interface ReadInputOptions {
  /** What named the file, for errors. */
  readonly option: string;
  /** Default 16 MiB. */
  readonly maxBytes?: number | undefined;
  readonly cli: CliContext;
}

/**
 * The bytes of a file as they are; `-` is standard input, to its end. A leading `~/` is this user's home, for the
 * shells that leave it alone in `--from-file=~/x`. What cannot be read is `invalid_argument` with the reason, naming
 * `option`, and so is what has more than `maxBytes`, of which no more is read than it takes to see that: a device never
 * ends.
 */
export async function readInput(path: string, options: ReadInputOptions): Promise<Uint8Array> {
  const { option, cli, maxBytes = MAX_INPUT_BYTES } = options;
  const isStandardInput = path === "-";
  const file = resolve(
    cli.cwd,
    path.replace(/^~(?=\/)/, () => cli.home),
  );
  if (isStandardInput ? cli.stdin.isTTY : isPipe(file)) {
    const what = isStandardInput ? "standard input, which Ctrl-D ends" : `${option} ${path}, which is a named pipe`;
    cli.stderr.write(`note: reading ${what}\n`);
  }
  const stream = isStandardInput ? cli.stdin : createReadStream(file);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.byteLength;
      if (size > maxBytes) throw tooLarge(isStandardInput ? "standard input" : `${option} ${path}`, maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (isSecretsError(error)) throw error;
    throw new SecretsError("invalid_argument", `${option} ${path} cannot be read: ${systemReason(error)}`, {
      cause: error,
    });
  }
  return Buffer.concat(chunks);
}

/** A named pipe has nothing to read until another program writes into it. */
function isPipe(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFIFO() === true;
}

/** {@link readInput} of a text, as {@link decodeText} reads one; `invalid_argument` when it is none. */
export async function readText(path: string, options: ReadInputOptions): Promise<string> {
  const text = decodeText(await readInput(path, options));
  if (text !== undefined) return text;
  throw new SecretsError("invalid_argument", `${path === "-" ? "standard input" : path}: ${NOT_TEXT}`);
}

function tooLarge(what: string, maxBytes: number): SecretsError {
  return new SecretsError("invalid_argument", `${what} has more than ${maxBytes} bytes; nothing of it was used`);
}
