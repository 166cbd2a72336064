import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { assertNoServer, openLog, prepareStoreDirectory, serverLogFile } from "@flyte-secrets/store";
import type { CliContext } from "../context.ts";
import { describeFailure, ExitError } from "../describe-failure.ts";
import { PROGRAM } from "../program-files.ts";
import { END_OF_BANNER } from "./start-banner.ts";

export interface DetachOptions {
  /** The data directory, of which one server runs at the most. */
  readonly directory: string;
  /** What follows `serve` on the command line of the server. */
  readonly args: readonly string[];
  /** Default: `server.log` in the directory. */
  readonly logFile: string | undefined;
  readonly cli: CliContext;
}

/**
 * Starts a server that goes on when this command and its terminal have ended. Returns when it answers, with its
 * banner printed; when it ends before that, its error is printed, and the exit code is its own.
 */
export async function detachServer({ directory, args, logFile, cli }: DetachOptions): Promise<void> {
  prepareStoreDirectory(directory);
  assertNoServer(directory);
  const file = logFile === undefined ? serverLogFile(directory) : resolve(cli.cwd, logFile);
  const log = openLog(file, directory);
  const child = spawn(process.execPath, [PROGRAM, "serve", ...args, "--detached", "--log-file", file], {
    cwd: cli.cwd,
    env: { ...cli.env },
    detached: true,
    stdio: ["ignore", "pipe", log],
  });
  closeSync(log);
  const ended = once(child, "close");
  cli.interruption().addEventListener("abort", () => child.kill());
  let printed = "";
  for await (const chunk of child.stdout ?? []) {
    printed += String(chunk);
    if (printed.endsWith(END_OF_BANNER)) break;
  }
  if (!printed.endsWith(END_OF_BANNER)) {
    const [code, signal] = await ended;
    throw startFailure(printed, { end: signal ?? `exit code ${code}`, code, file, cli });
  }
  child.unref();
  const rest = `Log in       ${file}\nStop: flyte-secrets serve --stop\n`;
  cli.stdout.write(printed.slice(0, -END_OF_BANNER.length) + rest);
}

interface ServerEnd {
  readonly code: unknown;
  /** In words. */
  readonly end: string;
  readonly file: string;
  readonly cli: CliContext;
}

/** Prints what {@link reportStartFailure} has written; a server that was killed has written nothing. */
function startFailure(printed: string, { code, end, file, cli }: ServerEnd): Error {
  if (printed === "" || typeof code !== "number") {
    return new SecretsError("listen_failed", `the server ended before it answered (${end}); see its log, ${file}`);
  }
  cli.stderr.write(printed);
  return new ExitError(code);
}

/**
 * In the started server: sends the reason of its failure to the process that started it and waits for the banner. It
 * uses the banner's stream, since the log's disk may be full.
 */
export async function reportStartFailure<Result>(start: () => Promise<Result>, cli: CliContext): Promise<Result> {
  try {
    return await start();
  } catch (error) {
    const { line, details = [], exit } = describeFailure(error);
    if (line !== undefined) cli.stdout.write(`${[`error: ${line}`, ...details].join("\n")}\n`);
    throw new ExitError(exit);
  }
}
