import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";

/** A source file that is longer was generated: nobody looks for a line of it. */
const MAX_BYTES = 1_048_576;
const SOURCE = /\.[cm]?[jt]sx?$/;

/**
 * A source file of the package that the user's file `main` belongs to, or else below its directory, as text. Undefined for
 * every other file, for packages that are installed and for hidden directories: the path may come from an error's text,
 * which anybody may have written.
 */
export function readSource(file: string, main: string): string | undefined {
  try {
    const path = realpathSync(file);
    const directory = dirname(realpathSync(main));
    const below = relative(packageRoot(directory)?.directory ?? directory, path);
    if (isAbsolute(below) || !SOURCE.test(below)) return undefined;
    const parts = below.split(sep);
    return parts.some((part) => part === "node_modules" || part.startsWith(".")) ? undefined : readSmallFile(path);
  } catch {
    return undefined;
  }
}

/** A regular file of at most 1 MiB as text; undefined for anything else. It waits for no pipe. */
export function readSmallFile(path: string): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    return stats.isFile() && stats.size <= MAX_BYTES ? readFileSync(descriptor, "utf8") : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The package that a directory belongs to: the nearest package.json that has a name. */
export function packageRoot(directory: string): { readonly directory: string; readonly name: string } | undefined {
  const path = join(directory, "package.json");
  const name = existsSync(path) ? nameIn(path) : undefined;
  if (name !== undefined) return { directory, name };
  const parent = dirname(directory);
  return parent === directory ? undefined : packageRoot(parent);
}

function nameIn(path: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readSmallFile(path) ?? "");
    const name = typeof manifest === "object" && manifest !== null && "name" in manifest ? manifest.name : undefined;
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}
