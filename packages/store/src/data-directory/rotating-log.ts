import { closeSync, existsSync, fstatSync, renameSync, writeSync } from "node:fs";
import { addTo, openLog } from "./log-file.ts";

/** With the file before it, a log takes twice as much. */
const MAX_BYTES = 5 * 1024 * 1024;

export interface RotatingLogOptions {
  /** The server's data directory: see {@link openLog}. */
  readonly directory: string;
  /** Default 5 MiB. */
  readonly maxBytes?: number;
}

/**
 * A log in a file for this user alone (0600), which goes on where it ends. A full one becomes `FILE.1`, in place of the one
 * before, and a new one begins. A line that can't be written is lost: a full disk stops no server.
 * @throws SecretsError as {@link openLog} does.
 */
export function rotatingLog(
  file: string,
  { directory, maxBytes = MAX_BYTES }: RotatingLogOptions,
): { write(line: string): unknown } & Disposable {
  let descriptor = openLog(file, directory);
  let size = fstatSync(descriptor).size;
  const rotate = () => {
    if (existsSync(file)) renameSync(file, `${file}.1`);
    const next = addTo(file);
    // Only now: a closed number is soon another file's.
    closeSync(descriptor);
    descriptor = next;
    size = 0;
  };
  return {
    write(line) {
      try {
        if (size > 0 && size + Buffer.byteLength(line) > maxBytes) rotate();
        size += writeSync(descriptor, line);
      } catch {
        // As said above.
      }
    },
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}
