import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a directory (0700) and those above it that are missing; says whether it was missing. Not `mkdir` with `recursive`: where the
 * system answers ENOENT below a directory that exists (`/proc`), that one tries for ever (seen on Node 24).
 */
export function makeDirectory(path: string): boolean {
  if (existsSync(path)) return false;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it since.
    if (!existsSync(path)) throw error;
  }
  return true;
}

/** The directories of a path that are missing, the innermost first: what {@link makeDirectory} would make. */
export function missingDirectories(path: string): readonly string[] {
  if (existsSync(path)) return [];
  const parent = dirname(path);
  return [path, ...(parent === path ? [] : missingDirectories(parent))];
}

/** Removes directories in this order, up to the first that isn't there or isn't empty. */
export function removeEmptyDirectories(paths: readonly string[]): void {
  try {
    for (const path of paths) rmdirSync(path);
  } catch {
    // Somebody else uses it by now, or it was never made.
  }
}
