import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SerializedError } from "./serialized-error.ts";
import { readSource, userFrames } from "./stack-frames.ts";

/** Why a user's file can't be loaded, and where that shows. */
export interface LoadFailure {
  readonly text: string;
  readonly place?: SourceLocation;
  /** The line of that place; absent where it is in no source file of the user's. */
  readonly source?: string;
}

/** In a file of the user's. Lines and columns count from 1; a column of 0 is not known. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the location in the user's code because of which `main` failed to load. Node shows it differently for each kind
 * of error, and not at all for syntax errors of ES modules. Without a location the text is all there is.
 */
export async function locateLoadFailure(error: SerializedError, main: string): Promise<LoadFailure> {
  const { source, ...failure } = await locate(error, main);
  const line = source ?? (failure.place && linesOf(failure.place.file, main)[failure.place.line - 1]);
  return { ...failure, ...(line !== undefined && { source: line }) };
}

async function locate(error: SerializedError, main: string): Promise<LoadFailure> {
  const text = error.code === undefined && error.name !== "" ? `${error.name}: ${error.message}` : error.message;
  const shown = placeShownByNode(error);
  if (shown !== undefined) return { text, place: shown };
  if (error.name === "SyntaxError" || error.name === "TransformError") {
    const found = await askCompiler(main);
    if (found !== undefined) return found;
  }
  const [frame] = userFrames(error);
  const missing = missingImport(error.message, { frame, main });
  if (missing !== undefined) return missing;
  return { text, ...(frame && { place: frame }) };
}

/**
 * `/path/file.cjs:1`, the line and carets below: for syntax errors of CommonJS and imports of names that are not
 * exported.
 */
function placeShownByNode({ name, message, stack = "" }: SerializedError): SourceLocation | undefined {
  // Name and message may contain foreign text.
  if ([name, message].some((text) => text !== "" && stack.startsWith(text))) return undefined;
  const [, where = "", line = "", carets = ""] = /^(.+):(\d+)\n.*\n( *)\^+\n/.exec(stack) ?? [];
  const file = where.startsWith("file:") ? fileURLToPath(where) : where;
  return isAbsolute(file) ? { file, line: Number(line), column: carets.length + 1 } : undefined;
}

/** The first error that esbuild, which tsx uses, finds in the file and in those that it imports by path. */
async function askCompiler(main: string): Promise<LoadFailure | undefined> {
  const { buildSync } = await import("esbuild");
  try {
    buildSync({
      entryPoints: [main],
      bundle: true,
      write: false,
      packages: "external",
      platform: "node",
      logLevel: "silent",
      absWorkingDir: dirname(main),
    });
    return undefined;
  } catch (error) {
    // Its BuildFailure: https://esbuild.github.io/api/#build
    const errors = (error as { readonly errors?: readonly CompilerMessage[] }).errors ?? [];
    const found = errors.find(({ location }) => location !== null);
    if (!found?.location) return undefined;
    const { file, line, column, lineText: source } = found.location;
    return { text: found.text, source, place: { file: resolve(dirname(main), file), line, column: column + 1 } };
  }
}

interface CompilerMessage {
  readonly text: string;
  /** The column counts from 0. */
  readonly location: (SourceLocation & { readonly lineText: string }) | null;
}

/** An import of something that is not there: Node names the importing file, and what was looked for. */
function missingImport(message: string, { frame, main }: ImportPlace): LoadFailure | undefined {
  const [, kind = "", wanted = ""] = /^Cannot find (module|package) '([^']+)'/.exec(message) ?? [];
  if (kind === "") return undefined;
  const importer = frame?.file ?? /(?: imported from |^- )(.+)$/m.exec(message)?.[1];
  const file = importer?.startsWith("file:") ? fileURLToPath(importer) : importer;
  if (file === undefined || !isAbsolute(file)) return { text: message.split("\n", 1)[0] ?? message };
  const found = findImport(linesOf(file, main), { directory: dirname(file), wanted });
  const isPath = isAbsolute(wanted) || wanted.startsWith(".");
  const text = isPath
    ? `there is no file ${found?.specifier ?? wanted}`
    : `package ${wanted} is not installed here${installHint(wanted)}`;
  return { text, place: frame ?? { file, line: found?.line ?? 0, column: found?.column ?? 0 } };
}

/** How to install a package; our own is not taken from the registry by its name alone. */
function installHint(name: string): string {
  if (name.startsWith("@flyte-secrets/")) return "; docs/sdk.md says how to install it";
  return /^(?:@[\w.-]+\/)?[\w.-]+$/.test(name) ? `; install it: npm install ${name}` : "";
}

interface ImportPlace {
  /** Undefined where the error has none. */
  readonly frame: SourceLocation | undefined;
  /** The file that was to be loaded. */
  readonly main: string;
}

interface Wanted {
  /** Of the file that imports. */
  readonly directory: string;
  readonly wanted: string;
}

/** Where a file has the import in quotes: of a package by its name, of a file by what its path leads to. */
function findImport(lines: readonly string[], { directory, wanted }: Wanted) {
  for (const [at, line] of lines.entries()) {
    for (const { 1: specifier = "", index } of line.matchAll(/["'`]([^"'`\s]+)["'`]/g)) {
      const target = specifier.startsWith(".") ? resolve(directory, specifier) : specifier;
      const isWanted = [specifier, target].includes(wanted) || specifier.startsWith(`${wanted}/`);
      if (isWanted) return { specifier, line: at + 1, column: index + 1 };
    }
  }
  return undefined;
}

function linesOf(file: string, main: string): readonly string[] {
  return readSource(file, main)?.split(/\r?\n/) ?? [];
}
