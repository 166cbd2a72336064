import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "@flyte-secrets/server/local";
import { type Finding, note, ok, problem } from "./finding.ts";

const ANSWER_LIMIT_MS = 5_000;
/** Certificates and tokens of other services tolerate about this much. */
const CLOCK_LIMIT_MS = 30_000;
const START = "flyte-secrets serve";

/** Whether the server that this data directory names is there, ready, of one clock with us, and takes the token. */
export async function checkServer({ secret }: Config): Promise<Finding[]> {
  const { path } = secret.store;
  const text = readIfThere(join(path, "server.json"));
  if (text === undefined) return [note(`no server is running on ${path}; start one with: ${START}`)];
  const { endpoint, pid } = JSON.parse(text) as { endpoint: string; pid: number }; // our own file
  if (!isAlive(pid))
    return [problem(`the server on ${path} ended without saying so (process ${pid})`, `start it again: ${START}`)];
  const answer = await ask(`${endpoint}/readyz`, {});
  if (answer === undefined) return [problem(`${endpoint} does not answer`, `stop process ${pid}, then: ${START}`)];
  const ready = answer.ok
    ? ok(`${endpoint} is ready`)
    : problem(
        `${endpoint} is not ready: ${(await answer.text()).trim()}`,
        "mend what it names; the server's log has more",
      );
  return [ready, checkClock(answer), await checkToken(endpoint, secret.auth)];
}

function checkClock(answer: Response): Finding {
  const difference = Math.abs(Date.parse(answer.headers.get("date") ?? "") - Date.now());
  if (Number.isNaN(difference)) return note("the server does not tell its time");
  return difference <= CLOCK_LIMIT_MS
    ? ok("the server's clock agrees with this one")
    : problem(`the server's clock is ${Math.round(difference / 1000)} s away from this one`, "set both clocks by NTP");
}

async function checkToken(endpoint: string, { mode, tokenFile }: Config["secret"]["auth"]): Promise<Finding> {
  const token = readIfThere(tokenFile)?.trim();
  if (token === undefined && mode === "token")
    return problem(`no token in ${tokenFile}`, "restart the server: it makes one");
  const answer = await ask(`${endpoint}/secrets/api/v1?limit=1`, { authorization: `Bearer ${token}` });
  if (answer?.ok) return ok("the server takes the token");
  return problem(`the server refuses the token in ${tokenFile} (${answer?.status})`, "restart the server");
}

async function ask(url: string, headers: Record<string, string>): Promise<Response | undefined> {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, as another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
