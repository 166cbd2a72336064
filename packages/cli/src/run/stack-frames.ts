import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type ErrorText, parseObject, stackLines } from "@flyte-secrets/core";

/** One frame of a stack trace. */
export interface Frame {
  /** The function; empty at the top of a module. */
  readonly name: string;
  /** An absolute path. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Packages whose frames are left out of a user's stack trace. */
const MACHINERY = /^(?:@flyte-secrets\/.+|tsx|esbuild)$/;
/** V8 keeps 10 frames by default: what has more lines is foreign text. */
const MAX_LINES = 200;

/**
 * The frames of an error's stack that are in the user's code or in packages it uses, innermost first: not those of
 * Node, of this project, or of what compiles TypeScript.
 */
export function userFrames(error: ErrorText): Frame[] {
  const lines = stackLines(error).slice(0, MAX_LINES);
  const frames = lines.flatMap((line) => parseFrame(line.slice("at ".length)) ?? []);
  return frames
    .filter((frame, index) => !isModuleWrapper(frame, frames[index - 1]) && !isMachinery(frame.file))
    .map((frame) => ({ ...frame, name: UNNAMED.has(frame.name) ? "" : frame.name }));
}

const MODULE = "Object.<anonymous>";
const UNNAMED: ReadonlySet<string> = new Set(["<anonymous>", MODULE]);

/**
 * Whether the frame is the CommonJS module around the function that tsx puts around a file's code, which has a place of
 * its own.
 */
function isModuleWrapper({ name, file }: Frame, inner: Frame | undefined): boolean {
  return name === MODULE && inner?.name === "<anonymous>" && inner.file === file;
}

/**
 * `name (place:line:column)` or `place:line:column`, where a name may begin with `async` and a place may have
 * parentheses.
 */
function parseFrame(text: string): Frame | undefined {
  const parts = (text.endsWith(")") ? text.slice(0, -1) : text).split(":");
  const [line, column] = parts.splice(-2).map(Number);
  if (!line || !column) return undefined;
  const whole = parts.join(":").replace(/^async /, "");
  const open = toPath(whole) === undefined ? whole.indexOf(" (") : -1;
  const path = open < 0 ? toPath(whole) : toPath(whole.slice(open + " (".length));
  if (path === undefined) return undefined;
  const name = open < 0 ? "" : whole.slice(0, open);
  return { name, file: path, line, column };
}

/** The absolute path of a file or `file:` URL; undefined for Node's own modules and what is no file. */
function toPath(place: string): string | undefined {
  try {
    const [plain = ""] = place.split("?", 1);
    const path = place.startsWith("file:") ? fileURLToPath(place) : plain;
    return isAbsolute(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function isMachinery(file: string): boolean {
  const root = packageRoot(dirname(file));
  if (root === undefined || !MACHINERY.test(root.name)) return false;
  // What is in a package beside its code, such as tests' files, is a user's.
  return /^(?:src|dist|lib|bin)[\\/]/.test(relative(root.directory, file));
}

/** Longer source files are generated ones, of which no line is shown. */
const MAX_BYTES = 1_048_576;
const SOURCE = /\.[cm]?[jt]sx?$/;

/**
 * A source file of the package that the user's file `main` belongs to, or else below its directory, as text. Undefined
 * for every other file, for packages that are installed and for hidden directories: the path may come from an error's
 * text, which anybody may have written.
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
    const name = parseObject(readSmallFile(path) ?? "")?.name;
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}
