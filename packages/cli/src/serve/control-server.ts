import { setTimeout as delay } from "node:timers/promises";
import { SecretsError } from "@flyte-secrets/core";
import { findOwnServer } from "@flyte-secrets/sdk/connection";
import { findRunningServer, isDirectoryLocked, type RunningServer, stopServerProcess } from "@flyte-secrets/store";
import type { CliContext } from "../context.ts";
import { ExitError } from "../describe-failure.ts";
import { describeNoResponse, requestOwnServer } from "../remote/own-server.ts";

/** As `systemctl status` has them. */
const NOT_RUNNING = 3;
const UNKNOWN = 4;

/**
 * `serve --status`: the server on a data directory. Exit code 3 when none runs there, 4 when one does and gives no
 * answer.
 */
export async function printServerStatus(directory: string, cli: CliContext): Promise<void> {
  const server = findRunningServer(directory);
  if (server === undefined) {
    cli.stdout.write(`No server runs on ${directory}.\nStart one: flyte-secrets serve --detach\n`);
    throw new ExitError(NOT_RUNNING);
  }
  const problem = await findProblem(directory);
  const lines = [
    `Running on   ${server.endpoint ?? "an address that it has not announced yet"}`,
    `Process      ${describeProcess(server)}`,
    `Data in      ${directory}`,
    ...(server.logFile === undefined ? [] : [`Log in       ${server.logFile}`]),
    ...(problem === undefined ? [] : [problem.line]),
    "Stop: flyte-secrets serve --stop",
  ];
  cli.stdout.write(`${lines.join("\n")}\n`);
  if (problem?.isSilent) throw new ExitError(UNKNOWN);
}

interface Problem {
  readonly line: string;
  readonly isSilent: boolean;
}

async function findProblem(directory: string): Promise<Problem | undefined> {
  try {
    const found = await findOwnServer(directory);
    if (found === undefined) return { line: "No answer    nobody listens: it is starting, or hangs", isSilent: true };
    const { status, body } = await requestOwnServer(found.route, "/readyz");
    return status === 200 ? undefined : { line: `Not ready    ${body.trim()}`, isSilent: false };
  } catch (error) {
    return { line: `No answer    ${describeNoResponse(error)}`, isSilent: true };
  }
}

function describeProcess({ pid, startedAt }: RunningServer): string {
  if (pid === undefined) return "not announced yet";
  const started = Date.parse(startedAt ?? "");
  if (Number.isNaN(started)) return String(pid);
  return `${pid}, since ${new Date(started).toISOString().replace("T", " ").slice(0, 19)} UTC (${ago(started)})`;
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

function ago(since: number): string {
  const ms = Math.max(0, Date.now() - since);
  const [unit, size] = UNITS.find(([, least]) => ms >= least) ?? UNITS[3];
  return new Intl.RelativeTimeFormat("en").format(-Math.floor(ms / size), unit);
}

const LOOK_MS = 50;
/** A server lets calls in flight finish for 10 s, and a webhook goes on until the API server has learnt of its end. */
const LIMIT_MS = 60_000;

/**
 * `serve --stop`: ends the server on a data directory, in order, and returns when another one could start. None there
 * is fine.
 */
export async function stopServer(directory: string, cli: CliContext): Promise<void> {
  const server = findRunningServer(directory);
  if (server === undefined) {
    cli.stdout.write(`No server runs on ${directory}.\n`);
    return;
  }
  const pid = stopServerProcess(directory, server);
  const end = performance.now() + LIMIT_MS;
  while (isDirectoryLocked(directory)) {
    if (performance.now() > end) throw stillThere(pid);
    await delay(LOOK_MS);
  }
  cli.stdout.write(`Stopped the server on ${directory} (process ${pid}).\n`);
}

function stillThere(pid: number): SecretsError {
  return new SecretsError(
    "deadline_exceeded",
    `process ${pid} has not ended within ${LIMIT_MS / 1000} s. kill -9 ${pid} ends it at ` +
      "once; what was acknowledged is in the store",
  );
}
