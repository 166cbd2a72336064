import { type FSWatcher, watch } from "node:fs";

/**
 * Calls `listener` when something in a directory changes, until the function that is returned is called. It is a hint: on some
 * file systems nothing is ever reported, so the reader must look by itself now and then.
 */
export function watchDirectory(directory: string, listener: () => void): () => void {
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(directory, { persistent: false }, () => listener());
    watcher.on("error", () => watcher?.close());
  } catch {
    // Such as too many watches on this machine.
  }
  return () => watcher?.close();
}
