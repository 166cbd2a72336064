import { readFileSync } from "node:fs";
import { isSecretsError } from "@flyte-secrets/core";
import { type Config, findRunningServer } from "@flyte-secrets/server/local";
import { checkClock } from "./check-clock.ts";
import { type Finding, note, ok, problem } from "./finding.ts";

const ANSWER_LIMIT_MS = 5_000;

/** Whether the server that the data directory announces is there, ready, of one time with us, and takes the token. */
export async function checkServer({ secret }: Config): Promise<Finding[]> {
  const { path } = secret.store;
  const server = announced(path);
  // That the announcement is open to others is told by the check of the files.
  if (!server) return [note(`no server is running on ${path}; flyte-secrets serve starts one`)];
  const { endpoint, pid } = server;
  const answer = await ask(`${endpoint}/readyz`, {});
  if (typeof answer === "string") {
    return [problem(`${endpoint} does not answer (${answer})`, `stop process ${pid}, then run flyte-secrets serve`)];
  }
  return [
    await checkReady(answer, endpoint),
    checkClock("the server", answer.headers.get("date")),
    await checkToken(endpoint, secret.auth),
  ];
}

function announced(path: string): ReturnType<typeof findRunningServer> {
  try {
    return findRunningServer(path);
  } catch (error) {
    if (isSecretsError(error, "unsafe_permissions")) return undefined;
    throw error;
  }
}

async function checkReady(answer: Response, endpoint: string): Promise<Finding> {
  if (answer.ok) return ok(`${endpoint} is ready`);
  return problem(`${endpoint} is not ready: ${(await answer.text()).trim()}`, "mend what it names; the log has more");
}

async function checkToken(endpoint: string, { tokenFile }: Config["secret"]["auth"]): Promise<Finding> {
  const token = readIfThere(tokenFile)?.trim();
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await ask(`${endpoint}/secrets/api/v1?limit=1`, headers);
  if (typeof answer === "string") return problem(`${endpoint} does not answer (${answer})`, "try again");
  if (answer.ok) return ok(token === undefined ? "the server asks for no token" : "the server takes the token");
  const remedy = "restart flyte-secrets serve: it reads the file, or makes one";
  return problem(`the server refuses the token in ${tokenFile} (HTTP ${answer.status})`, remedy);
}

/** The answer, or why there is none. */
async function ask(url: string, headers: Record<string, string>): Promise<Response | string> {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return cause instanceof Error && "code" in cause ? String(cause.code) : "no answer";
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
