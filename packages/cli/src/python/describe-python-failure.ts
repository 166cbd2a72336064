import { closeSync, openSync, readSync } from "node:fs";
import { basename, isAbsolute, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { escapeControls, excerpt, hasSystemCode, type SecretsError, systemReason } from "@flyte-secrets/core";
import { DetailedError } from "../failure.ts";

const SDKS = ["flyte", "flytekit"];
const MAX_FRAMES = 4;
const MAX_PRINTED_LINES = 8;
const SOURCE_WIDTH = 100;

/** One frame of a traceback, in the user's code. */
export interface PythonFrame {
  readonly file: string;
  /** Counts from 1; 0 is not known. */
  readonly line: number;
  readonly name: string;
  readonly source: string;
}

/** How a process has ended, or why it could not be started. */
export type ProcessEnd = { readonly failure: Error } | { readonly code: number | null; readonly by: string | null };

/** Why the tasks of a file can't be read. The frames are innermost first. */
export type PythonFailure =
  | {
      /** `import`: while the file was imported. `read`: while its tasks were serialised. */
      readonly phase: "import" | "read" | "timeout" | "unreadable";
      /** The exception's class. */
      readonly type: string;
      readonly message: string;
      /** The module that is not installed. */
      readonly missing?: string;
      /** What the file gave to `sys.exit`. */
      readonly exit?: string;
      readonly frames: readonly PythonFrame[];
    }
  | ({ readonly phase: "ended" } & ProcessEnd);

export interface DescribePythonFailureOptions {
  readonly file: string;
  /** The interpreter. */
  readonly python: string;
  /** Files below it are named by their path from there. */
  readonly cwd: string;
  readonly timeoutMs: number;
  /** The end of what the file has printed. */
  readonly printed: string;
}

/** The error as the user sees it: the place in their code and what is wrong, the line, and what the file printed. */
export function describePythonFailure(failure: PythonFailure, options: DescribePythonFailureOptions): SecretsError {
  const { python, file } = options;
  const name = excerpt(basename(file));
  if (failure.phase === "ended") return describeEnd(failure, options);
  const { type, message, missing = "", exit, frames } = failure;
  const [top, ...callers] = frames.slice(0, MAX_FRAMES);
  const place = top === undefined ? name : toPlace(top, options);
  const shown = [...sourceLine(top), ...callers.map((frame) => `    at ${toPlace(frame, options)}`)];
  const fail = (problem: string, ...hints: readonly string[]) =>
    new DetailedError("task_failed", `${place}: ${problem}`, [...shown, ...hints]);
  if (failure.phase === "timeout") {
    return fail(
      `importing ${name} takes more than ${options.timeoutMs / 1_000} seconds`,
      "  It was stopped here. What takes long belongs into a task.",
    );
  }
  if (failure.phase === "unreadable") return fail(excerpt(message));
  if (exit !== undefined) {
    return fail(
      `${name} ends Python while it is imported (sys.exit: ${excerpt(exit)})`,
      ...printedLines(options),
      '  What it does as a program of its own belongs below: if __name__ == "__main__":',
    );
  }
  if (SDKS.includes(missing)) {
    return fail(
      `${missing} is not installed for ${excerpt(python)}`,
      "  Install it there, or name the Python that has it: --python PATH",
    );
  }
  const what = `${excerpt(type)}: ${firstLine(message)}`;
  if (failure.phase === "read") return fail(`the tasks of ${name} can't be read: ${what}`);
  return fail(what, ...(missing === "" ? [] : [`  It was imported with ${excerpt(python)}; --python names another.`]));
}

function describeEnd(end: ProcessEnd, options: DescribePythonFailureOptions): SecretsError {
  const { python, file } = options;
  const another = "  Make its environment anew, or name another Python: --python PATH";
  if ("failure" in end) {
    const reason = hasSystemCode(end.failure, "ENOENT")
      ? "it, or what it is started with, is not there"
      : systemReason(end.failure);
    return new DetailedError("usage", `${excerpt(python)} can't be started: ${reason}`, [another]);
  }
  if (isForeignProgram(python)) {
    return new DetailedError("usage", `${excerpt(python)} is made for another kind of machine`, [another]);
  }
  const how = end.by === null ? `with exit code ${end.code}` : `by ${end.by}`;
  const problem = `${excerpt(basename(file))} can't be imported: ${excerpt(python)} was ended ${how} meanwhile`;
  return new DetailedError("task_failed", problem, printedLines(options));
}

/** Whether a file is a program in ELF for another machine, class or byte order than Node itself. */
function isForeignProgram(path: string): boolean {
  const [theirs, ours] = [path, process.execPath].map(readElfHeader);
  const isElf = (header: Buffer | undefined) => header?.readUInt32BE() === 0x7f454c46;
  if (theirs === undefined || ours === undefined || !isElf(theirs) || !isElf(ours)) return false;
  // e_ident's class and byte order, and e_machine: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
  const kind = (header: Buffer) => [header[4], header[5], header.readUInt16LE(18)].join();
  return kind(theirs) !== kind(ours);
}

function readElfHeader(path: string): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    const header = Buffer.alloc(20);
    return readSync(descriptor, header) === header.length ? header : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function toPlace({ file, line }: PythonFrame, { cwd }: DescribePythonFailureOptions): string {
  const path = relative(cwd, file);
  const shown = escapeControls(path.startsWith("..") || isAbsolute(path) ? file : path);
  return line === 0 ? shown : `${shown}:${line}`;
}

function sourceLine(frame: PythonFrame | undefined): string[] {
  const text = escapeControls((frame?.source ?? "").trim().slice(0, SOURCE_WIDTH));
  return text === "" ? [] : [`  ${frame?.line} | ${text}`];
}

const firstLine = (text: string): string => excerpt(text.trim().split("\n", 1)[0] ?? "");

/** The last lines that the file has printed. */
function printedLines({ printed }: DescribePythonFailureOptions): string[] {
  const lines = stripVTControlCharacters(printed)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  return lines.length === 0
    ? []
    : ["  It printed:", ...lines.slice(-MAX_PRINTED_LINES).map((line) => `    ${excerpt(line)}`)];
}
