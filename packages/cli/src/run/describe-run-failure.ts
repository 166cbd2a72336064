import { isAbsolute, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ERROR_KINDS, type ErrorCode, escapeControls, quote, SecretsError } from "@flyte-secrets/core";
import { SECRETS_DIRECTORY } from "@flyte-secrets/inject";
import { DetailedError } from "../failure.ts";
import { locateLoadFailure, type SourceLocation } from "./load-failure.ts";
import type { SerializedError } from "./serialized-error.ts";
import { userFrames } from "./stack-frames.ts";

/** What is shown unless the user wants to see all of it. */
const BRIEF = { frames: 4, lines: 12, characters: 1_000 };
const ALL = { frames: Number.POSITIVE_INFINITY, lines: 1_000, characters: 100_000 };
/** Of a line of source code, around the place that is meant. */
const SOURCE_WIDTH = 70;

export interface RunFailureOptions {
  /** The absolute path of the user's file. */
  readonly file: string;
  /** Files below it are named by their path from there. */
  readonly cwd: string;
  readonly verbose: boolean;
  /** The task or workflow that the user has started and given no input. */
  readonly startedWithoutInput?: string | undefined;
  /** Hides values in a text of the user's code. */
  readonly masked: (text: string) => string;
}

/**
 * The error of a run as the user sees it: the task, what is wrong, and below that the place in the user's code. A
 * SecretsError keeps its code; an error of the user's code becomes `task_failed`.
 */
export async function describeRunFailure(error: SerializedError, options: RunFailureOptions): Promise<SecretsError> {
  if (error.phase === "load") return await describeLoadFailure(error, options);
  const whose = error.thrower && `${error.thrower.kind} ${quote(error.thrower.name)}`;
  if (isErrorCode(error.code)) {
    const message = options.masked(options.verbose ? error.message : (error.brief ?? error.message));
    if (error.code === "canceled") return new SecretsError("canceled", message);
    const details = error.details ?? frameLines(error, options).slice(0, 1);
    return new DetailedError(error.code, whose === undefined ? message : `${whose}: ${message}`, details);
  }
  const [first = "", ...rest] = describeThrown(error, options);
  const stray =
    error.phase === "stray"
      ? ["  Nothing waits for what threw it: a timer, an event, or a promise without await."]
      : [];
  const hint = [...missingInputHint(error, options), ...missingFileHint(error)];
  return new DetailedError("task_failed", `${whose ?? "the file"} threw ${first}`, [...rest, ...stray, ...hint]);
}

async function describeLoadFailure(error: SerializedError, options: RunFailureOptions): Promise<SecretsError> {
  const { text, place, source: line } = await locateLoadFailure(error, options.file);
  const code = isErrorCode(error.code) ? error.code : "task_failed";
  const [first = "", ...rest] = textLines(text, options);
  if (place === undefined) {
    return new DetailedError(code, `${shortPath(options.file, options)} can't be loaded: ${first}`, indented(rest));
  }
  const source = line === undefined ? [] : sourceLines(line, place, options);
  const callers = frameLines(error, options).slice(1);
  return new DetailedError(code, `${toText(place, options)}: ${first}`, [...indented(rest), ...source, ...callers]);
}

/** Name and message, then the frames, then the same of each cause. */
function describeThrown(error: SerializedError, options: RunFailureOptions): string[] {
  const [first = "", ...rest] = textLines(error.message, options);
  const head = error.name === "" ? `${first}, which is no Error` : [error.name, first].filter(Boolean).join(": ");
  const causes = (error.causes ?? []).flatMap((cause) => {
    const [causeHead = "", ...below] = describeThrown(cause, options);
    const whose = cause.thrower ? `${cause.thrower.kind} ${quote(cause.thrower.name)}: ` : "";
    return [`  Caused by ${whose}${causeHead}`, ...below];
  });
  return [head, ...indented(rest), ...frameLines(error, options), ...causes];
}

/** Of the user's code, as far as there is room; without colours of its own. */
function textLines(text: string, { masked, verbose }: RunFailureOptions): string[] {
  const { lines, characters } = verbose ? ALL : BRIEF;
  const plain = masked(stripVTControlCharacters(text));
  const cut = plain.length <= characters ? plain : `${plain.slice(0, characters)}…`;
  const all = cut.split("\n").map((line) => line.trimEnd());
  return all.length <= lines ? all : [...all.slice(0, lines), "…"];
}

const indented = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.trim() !== "").map((line) => `  ${line}`);

function frameLines(error: SerializedError, options: RunFailureOptions): string[] {
  const frames = userFrames(error);
  const { frames: limit } = options.verbose ? ALL : BRIEF;
  return frames.slice(0, limit).map(({ name, ...place }) => {
    const text = toText(place, options);
    return options.masked(name === "" ? `    at ${text}` : `    at ${name} (${text})`);
  });
}

/** The line with its number, and a caret below the column. */
function sourceLines(text: string, place: SourceLocation, { masked }: RunFailureOptions): string[] {
  const line = escapeControls(text.replaceAll("\t", " "));
  if (line.trim() === "") return [];
  const start = Math.max(0, Math.min(place.column - SOURCE_WIDTH / 2, line.length - SOURCE_WIDTH));
  const margin = String(place.line).replace(/./g, " ");
  const shown = masked(line.slice(start, start + SOURCE_WIDTH)).trimEnd();
  const caret = place.column > 0 ? [`  ${margin} | ${" ".repeat(place.column - 1 - start)}^`] : [];
  return [`  ${place.line} | ${shown}`, ...caret];
}

function toText({ file, line, column }: SourceLocation, options: Pick<RunFailureOptions, "cwd">): string {
  const path = shortPath(file, options);
  if (line === 0) return path;
  return column === 0 ? `${path}:${line}` : `${path}:${line}:${column}`;
}

function shortPath(file: string, { cwd }: Pick<RunFailureOptions, "cwd">): string {
  const path = relative(cwd, file);
  return escapeControls(path.startsWith("..") || isAbsolute(path) ? file : path);
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_KINDS, code);
}

/** What to do about a task that reads its input and was started without one. */
function missingInputHint(error: SerializedError, { startedWithoutInput }: RunFailureOptions): string[] {
  const { name, message, thrower, lacksInput = false } = error;
  const readsUndefined = name === "TypeError" && /\bundefined\b/.test(message);
  if (!lacksInput || !readsUndefined || thrower?.name !== startedWithoutInput) return [];
  return ["  It was started without input: -i NAME=VALUE gives a field of it, and may be repeated."];
}

/** What to do about code that opens `/etc/flyte/secrets/...`, which is not there. */
export function missingFileHint(error: SerializedError): string[] {
  const path = error.system?.path ?? "";
  const isThere = path === SECRETS_DIRECTORY || path.startsWith(`${SECRETS_DIRECTORY}/`);
  if (!isThere) return (error.causes ?? []).flatMap(missingFileHint).slice(0, 3);
  const parts = path.slice(SECRETS_DIRECTORY.length).split("/").filter(Boolean);
  const [key, group] = parts.reverse().map((part) => JSON.stringify(part));
  return [
    `  ${SECRETS_DIRECTORY} has what the task asks for as a file, where Linux lets it be mounted. Read it anywhere with:`,
    `    currentContext().getSecret(${group ?? "undefined"}, ${key ?? '"KEY"'})`,
    "  or open it below process.env.FLYTE_SECRETS_DEFAULT_DIR.",
  ];
}
