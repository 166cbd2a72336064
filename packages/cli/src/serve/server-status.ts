import { findEmbeddedServer } from "@flyte-secrets/sdk/connection";
import { findRunningServer, type RunningServer } from "@flyte-secrets/store";
import type { CliContext } from "../context.ts";
import { ExitError } from "../describe-failure.ts";
import { describeNoAnswer, requestOwnServer } from "../remote/own-server.ts";

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
    const found = await findEmbeddedServer(directory);
    if (found === undefined) return { line: "No answer    nobody listens: it is starting, or hangs", isSilent: true };
    const { status, body } = await requestOwnServer(found.route, "/readyz");
    return status === 200 ? undefined : { line: `Not ready    ${body.trim()}`, isSilent: false };
  } catch (error) {
    return { line: `No answer    ${describeNoAnswer(error)}`, isSilent: true };
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
