import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, fstatSync } from "node:fs";
import { join, resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import {
  assertNoServer,
  openLog,
  prepareStoreDirectory,
  readLogTail,
  serverLogFile,
} from "@flyte-secrets/server/local";
import { ExitStatus } from "../describe-failure.ts";
import type { Host } from "../host.ts";
import { END_OF_GREETING } from "./greeting.ts";

const CLI = join(import.meta.dirname, "../../bin/flyte-secrets.js");

export interface DetachOptions {
  /** The data directory, of which one server runs at the most. */
  readonly directory: string;
  /** What follows `serve` on the command line of the server. */
  readonly args: readonly string[];
  /** Default: `server.log` in the directory. */
  readonly logFile: string | undefined;
  readonly host: Host;
}

/**
 * Starts a server that goes on when this command and its terminal have ended. Returns when it answers, with its greeting printed; when
 * it ends before that, its error is printed, and the exit code is its own.
 */
export async function detachServer({ directory, args, logFile, host }: DetachOptions): Promise<void> {
  prepareStoreDirectory(directory);
  assertNoServer(directory);
  const file = logFile === undefined ? serverLogFile(directory) : resolve(host.cwd, logFile);
  const log = openLog(file);
  const start = fstatSync(log).size;
  const child = spawn(process.execPath, [CLI, "serve", ...args, "--log-file", file], {
    cwd: host.cwd,
    env: { ...host.env },
    detached: true,
    stdio: ["ignore", "pipe", log],
  });
  closeSync(log);
  const ended = once(child, "close");
  host.interruption().addEventListener("abort", () => child.kill());
  let greeting = "";
  for await (const chunk of child.stdout ?? []) {
    greeting += String(chunk);
    if (greeting.endsWith(END_OF_GREETING)) break;
  }
  if (!greeting.endsWith(END_OF_GREETING)) {
    const [code] = await ended;
    throw tellFailure(readLogTail(file, start), { code, host });
  }
  child.unref();
  const rest = `Log in       ${file}\nStop: flyte-secrets serve --stop\n`;
  host.stdout.write(greeting.slice(0, -END_OF_GREETING.length) + rest);
}

/** The server's last word is its error, in words for people; what is above it in the log, is for the log. */
function tellFailure(log: string, { code, host }: { code: unknown; host: Host }): Error {
  const said = /^error: .*$/m.exec(log)?.[0];
  if (said === undefined || typeof code !== "number") {
    return new SecretsError("listen_failed", "the server ended before it answered; its log has the rest");
  }
  host.stderr.write(`${said}\n`);
  return new ExitStatus(code);
}
