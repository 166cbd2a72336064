import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { request as requestTls } from "node:https";
import type { Config } from "@flyte-secrets/config";
import { isSecretsError } from "@flyte-secrets/core";
import { findOwnServer, type OwnServer } from "@flyte-secrets/sdk/connection";
import { findRunningServer, flyteConfigFile } from "@flyte-secrets/store";
import { describeNoResponse, RESPONSE_LIMIT_MS, requestOwnServer } from "../remote/own-server.ts";
import { checkCertificate } from "./check-certificate.ts";
import { checkClock, type Finding, note, ok, problem } from "./finding.ts";

/**
 * Whether the server of the data directory runs, is ready, of one time with us, and takes the token on its TCP port.
 */
export async function checkServer({ secret }: Config): Promise<Finding[]> {
  const { path } = secret.store;
  try {
    const server = await findOwnServer(path);
    if (server) return await checkRunning(server, secret);
    // A process holds the directory's lock and doesn't listen.
    const silent = findRunningServer(path);
    if (silent === undefined) return [note(`no server is running on ${path}; create, get and run need none`)];
    const which = silent.pid === undefined ? "a server" : `a server (process ${silent.pid})`;
    return [problem(`${which} has ${path} and can't be reached: it is starting, or hangs`, RESTART)];
  } catch (error) {
    // The check of the files reports a directory that is open to others.
    if (isSecretsError(error, "unsafe_permissions")) return [];
    if (isSecretsError(error)) return [problem(error.message, "see what has the port")];
    throw error;
  }
}

async function checkRunning({ endpoint, route }: OwnServer, secret: Config["secret"]): Promise<Finding[]> {
  try {
    const { status, date, body } = await requestOwnServer(route, "/readyz");
    const ready =
      status === 200
        ? ok(`${endpoint} is ready`)
        : problem(`${endpoint} is not ready: ${body.trim()}`, "mend what it names; the log has more");
    return [ready, checkClock("the server", date), ...(await checkPort(endpoint, secret))];
  } catch (error) {
    return [problem(`${endpoint} does not answer (${describeNoResponse(error)})`, RESTART)];
  }
}

const RESTART = "stop it (flyte-secrets serve --stop), then run flyte-secrets serve";

/** What other clients find on its TCP port. The token goes to none whose certificate can't be verified. */
async function checkPort(endpoint: string, secret: Config["secret"]): Promise<Finding[]> {
  const certificate = endpoint.startsWith("https:") ? await checkCertificate(endpoint, secret) : undefined;
  const findings = certificate ? [...certificate.findings] : [];
  if (certificate?.trusted === undefined || certificate.isVerified) {
    findings.push(await checkToken(endpoint, { ca: certificate?.trusted, tokenFile: secret.auth.tokenFile }));
  }
  const flyteConfig = flyteConfigFile(secret.store.path);
  return existsSync(flyteConfig)
    ? [...findings, ok(`Flyte's clients reach it with --config ${flyteConfig}`)]
    : findings;
}

interface TokenCheck {
  readonly tokenFile: string;
  readonly ca: readonly string[] | undefined;
}

async function checkToken(endpoint: string, { tokenFile, ca }: TokenCheck): Promise<Finding> {
  const token = readOptionalFile(tokenFile)?.trim();
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const status = await ask(`${endpoint}/secrets/api/v1?limit=1`, { headers, ca });
  if (typeof status === "string") return problem(`${endpoint} does not answer (${status})`, "try again");
  if (status === 200) return ok(token === undefined ? "the server asks for no token" : "the server takes the token");
  const remedy = "put a new one there: flyte-secrets token rotate";
  return problem(`the server refuses the token in ${tokenFile} (HTTP ${status})`, remedy);
}

interface Question {
  readonly headers: Record<string, string>;
  readonly ca: readonly string[] | undefined;
}

/** The answer's status, or why there is none. */
async function ask(url: string, { headers, ca }: Question): Promise<number | string> {
  const options = { headers, agent: false, signal: AbortSignal.timeout(RESPONSE_LIMIT_MS) } as const;
  try {
    const sent = ca ? requestTls(url, { ...options, ca: [...ca] }) : request(url, options);
    const answer: IncomingMessage = (await once(sent.end(), "response"))[0];
    answer.resume();
    return answer.statusCode ?? 0;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "no answer";
  }
}

function readOptionalFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
