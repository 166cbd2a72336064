import { spawn } from "node:child_process";
import { isObject, type JsonObject, quote, SecretsError, withoutCredentials } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";

/** Longer than a person needs to unlock a key ring, shorter than forever. */
const HELPER_TIMEOUT_MS = 120_000;
/** What helpers print on standard output for a registry they don't know; part of their protocol. */
const NOT_FOUND = "credentials not found in native keychain";
/** The user name that marks the secret as an identity token; part of their protocol too. */
const IDENTITY_TOKEN_USER = "<token>";

export interface DockerCredentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Asks `docker-credential-<helper> get` for a registry, by Docker's protocol: the registry on standard input, JSON on
 * standard output. Undefined when the helper does not know the registry. A helper that is missing, fails, or answers
 * with something that is no user name and password is `invalid_argument`; its output is never repeated, since it may be
 * a password.
 */
export async function runCredentialHelper(
  helper: string,
  registry: string,
  cli: CliContext,
): Promise<DockerCredentials | undefined> {
  // With a slash in it the system would look for no program of that name, but run the file that it leads to.
  if (!/^[\w.-]{1,200}$/.test(helper))
    throw refused(`${quote(helper)} is no name of a credential helper; see Docker's configuration`);
  const program = `docker-credential-${helper}`;
  const { exitCode, stdout } = await runHelper(program, registry, cli);
  if (exitCode !== 0) {
    if (stdout.trim() === NOT_FOUND) return undefined;
    throw refused(`${program} failed for ${registry} with exit code ${exitCode}; try: docker login ${registry}`);
  }
  const { Username: username, Secret: password } = parseAnswer(stdout, program);
  if (typeof username !== "string" || typeof password !== "string" || password === "") {
    throw refused(`${program} answered for ${registry} without user name and password`);
  }
  if (username === IDENTITY_TOKEN_USER) throw identityToken(registry);
  return { username, password };
}

/** The error for credentials that only Docker itself can use. */
export function identityToken(registry: string): SecretsError {
  return refused(
    `the credentials of ${registry} are an identity token, which Kubernetes cannot pull with; use --registry with a ` +
      "user name and an access token",
  );
}

function parseAnswer(stdout: string, program: string): JsonObject {
  try {
    const answer: unknown = JSON.parse(stdout);
    return isObject(answer) ? answer : {};
  } catch {
    throw refused(`${program} did not answer in JSON`);
  }
}

async function runHelper(
  program: string,
  input: string,
  cli: CliContext,
): Promise<{ exitCode: number; stdout: string }> {
  const child = spawn(program, ["get"], {
    env: withoutCredentials(cli.env),
    stdio: ["pipe", "pipe", "ignore"],
    signal: AbortSignal.timeout(HELPER_TIMEOUT_MS),
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  // A helper that ends without reading its input is judged by its exit code.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  try {
    return { exitCode: await ended, stdout: Buffer.concat(chunks).toString("utf8") };
  } catch (error) {
    throw refused(startFailure(program, error), error);
  }
}

function startFailure(program: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return `${program}, which Docker's configuration names, is not on the PATH; install it`;
  if (code === "ABORT_ERR") return `${program} gave no answer within ${HELPER_TIMEOUT_MS / 1000} seconds`;
  return `${program} could not be started`;
}

function refused(message: string, cause?: unknown): SecretsError {
  return new SecretsError("invalid_argument", message, { cause });
}
