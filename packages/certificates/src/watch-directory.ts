import { type FSWatcher, watch } from "node:fs";

/**
 * Calls `listener` when something in a directory changes, until the returned function is called. Some file systems
 * never report anything, so callers must also read at intervals.
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
