import { Readable, Writable } from "node:stream";
import { escapeControls, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { createOutput } from "../output.ts";

/** Runs one command line of this program, and gives its exit code. Never throws. */
export type CarryOut = (argv: readonly string[], cli: CliContext) => Promise<number>;

/** What a tool tells the model. All of it may come from others: texts are cut, and escaped as in a terminal. */
export interface ToolAnswer extends Record<string, unknown> {
  /** Whether the command has succeeded. */
  readonly ok: boolean;
  /** What it prints as JSON; null where it prints nothing. */
  readonly result: unknown;
  /** Notes, warnings and errors. */
  readonly messages: readonly string[];
}

/** Of a list, and of the members of an object. */
export const MAX_ITEMS = 200;
const MAX_TEXT = 1_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

export interface ToolCommandOptions {
  readonly cli: CliContext;
  readonly carryOut: CarryOut;
  /** Interrupts the command, as Ctrl-C does. */
  readonly signal: AbortSignal;
}

/** The answer of a command that prints JSON. It has no input, no terminal, and nobody to ask. */
export async function runToolCommand(
  argv: readonly string[],
  { cli, carryOut, signal }: ToolCommandOptions,
): Promise<ToolAnswer> {
  const stdout = captureOutput();
  const stderr = captureOutput();
  const exitCode = await carryOut(argv, {
    env: cli.env,
    stdin: Readable.from([]),
    stdout: createOutput(stdout.stream),
    stderr: createOutput(stderr.stream),
    get home() {
      return cli.home;
    },
    cwd: cli.cwd,
    nodeVersion: cli.nodeVersion,
    interruption: () => signal,
    relaySignals: () => () => {},
  });
  const result = parseOutput(stdout.text());
  const isCut = Array.isArray(result) && result.length > MAX_ITEMS;
  const lines = stderr.text().split("\n");
  const messages = [
    ...lines.filter((line) => line.trim() !== ""),
    ...(isCut ? [`note: only the first ${MAX_ITEMS} of ${result.length} are shown`] : []),
  ];
  return { ok: exitCode === 0, result: boundData(result), messages: messages.slice(0, MAX_ITEMS).map(cutText) };
}

function parseOutput(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new SecretsError("invalid_argument", "the answer is over 4 MiB; ask for less");
  }
}

/** `value`, from JSON, with its texts cut and escaped, and the first {@link MAX_ITEMS} of each list and object. */
export function boundData(value: unknown): unknown {
  if (typeof value === "string") return cutText(value);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map(boundData);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).slice(0, MAX_ITEMS);
  return Object.fromEntries(members.map(([name, member]) => [cutText(name), boundData(member)]));
}

/** The first 1,000 characters, escaped. */
export function cutText(text: string): string {
  return escapeControls(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
}

/** The first 4 MiB that are written to the stream. */
function captureOutput() {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (bytes < MAX_OUTPUT_BYTES) chunks.push(chunk.subarray(0, MAX_OUTPUT_BYTES - bytes));
      bytes += chunk.length;
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
