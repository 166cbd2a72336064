import { dirname, isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type ErrorText, stackLines } from "@flyte-secrets/core";
import { packageRoot } from "./source-files.ts";

/** One line of a stack: where the code of somebody stood. */
export interface Frame {
  /** The function; empty at the top of a module. */
  readonly name: string;
  /** An absolute path. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Packages whose frames say nothing about the user's code. */
const MACHINERY = /^(?:@flyte-secrets\/.+|tsx|esbuild)$/;
/** More is no stack of V8's, which has 10 unless told otherwise. */
const MAX_LINES = 200;

/**
 * The frames of an error's stack that are in the user's code or in packages it uses, innermost first: not those of Node, of
 * this project, or of what compiles TypeScript.
 */
export function userFrames(error: ErrorText): Frame[] {
  const lines = stackLines(error).slice(0, MAX_LINES);
  return lines.flatMap((line) => {
    const frame = parseFrame(line.slice("at ".length));
    return frame === undefined || isMachinery(frame.file) ? [] : [frame];
  });
}

/**
 * `name (place:line:column)` or `place:line:column`, where a name may begin with `async` and a place may have parentheses.
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
  return { name: ["<anonymous>", "Object.<anonymous>"].includes(name) ? "" : name, file: path, line, column };
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
