import { existsSync, mkdirSync } from "node:fs";
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
