import { closeSync, fstatSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { LogDestination } from "../telemetry/create-logger.ts";

/** With the file before it, a log takes twice as much. */
const MAX_BYTES = 5 * 1024 * 1024;

/** The log of a server in the background, in its data directory. */
export function serverLogFile(directory: string): string {
  return join(directory, "server.log");
}

/**
 * A log in a file for this user alone (0600), which goes on where it ends. A full one becomes `FILE.1`, in place of the one before, and a
 * new one begins. A line that can't be written is lost: a full disk stops no server.
 */
export function rotatingLog(file: string, maxBytes = MAX_BYTES): LogDestination & Disposable {
  let descriptor = openLog(file);
  let size = fstatSync(descriptor).size;
  const rotate = () => {
    renameSync(file, `${file}.1`);
    closeSync(descriptor);
    descriptor = openLog(file);
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

/** A descriptor to add to the log with. */
export function openLog(file: string): number {
  return openSync(file, "a", 0o600);
}

/** What was added to the log from `start` on, the last 8 KiB of it. */
export function readLogTail(file: string, start: number): string {
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const from = Math.max(start, size - 8192);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    readSync(descriptor, bytes, 0, bytes.length, from);
    return bytes.toString();
  } finally {
    closeSync(descriptor);
  }
}
