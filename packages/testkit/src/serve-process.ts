import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CLI = join(import.meta.dirname, "../../cli/bin/flyte-secrets.js");
/** Ends what hangs, before the test does; a busy machine takes more than half a minute. */
const READY_LIMIT_MS = 100_000;

/** `flyte-secrets serve` as a process of its own, on a free port and a data directory of its own. */
export interface ServeProcess {
  readonly endpoint: string;
  readonly port: number;
  /** The bearer token; empty with `--auth none`. */
  readonly token: string;
  readonly directory: string;
  /** The environment that makes CLI and SDK find this server. */
  readonly env: Readonly<Record<string, string>>;
  readonly process: ChildProcess;
  /** From exec to the first answer of `/readyz`. */
  readonly readyMs: number;
  /** All that the process has printed so far, standard output and error. */
  output(): string;
  /** Sends SIGTERM, waits for the end, removes the directory unless it was passed in. */
  close(): Promise<{ exitCode: number | null }>;
}

/**
 * Starts the real command and waits until it is ready. Throws with the command's own output when it ends before that or
 * is not ready within 100 seconds. `args` are added to `serve --port 0`; `env` is added to PATH and HOME.
 */
export async function startServe(
  options: { args?: readonly string[]; env?: Record<string, string>; directory?: string } = {},
): Promise<ServeProcess> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "flyte-secrets-"));
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: directory,
    SECRET_STORE_PATH: join(directory, "store"),
    ...options.env,
  };
  const started = performance.now();
  const child = spawn(process.execPath, [CLI, "serve", "--port", "0", ...(options.args ?? [])], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));

  const endpoint = await untilReady(child, env.SECRET_STORE_PATH, () => output);
  const readyMs = performance.now() - started;
  return {
    endpoint,
    port: Number(new URL(endpoint).port),
    token: readOptionalFile(join(env.SECRET_STORE_PATH, "token"))?.trim() ?? "",
    directory,
    env,
    process: child,
    readyMs,
    output: () => output,
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      const exitCode = await ended;
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
      return { exitCode };
    },
  };
}

async function untilReady(child: ChildProcess, store: string, output: () => string): Promise<string> {
  const limit = performance.now() + READY_LIMIT_MS;
  while (performance.now() < limit) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`serve ended early:\n${output()}`);
    const state = readOptionalFile(join(store, "server.json"));
    if (state !== undefined) {
      const { endpoint, pid } = JSON.parse(state) as { endpoint: string; pid: number };
      if (pid === child.pid && (await isReady(endpoint))) return endpoint;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill("SIGKILL");
  throw new Error(`serve was not ready after ${READY_LIMIT_MS} ms:\n${output()}`);
}

function isReady(endpoint: string): Promise<boolean> {
  const get = endpoint.startsWith("https:") ? getHttps : getHttp;
  return new Promise((resolve) => {
    get(`${endpoint}/readyz`, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once("error", () => resolve(false));
  });
}

function readOptionalFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
