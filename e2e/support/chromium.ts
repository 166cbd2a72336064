import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Requirement } from "./requirement.ts";
import { type ProgramResult, runProgram } from "./run-program.ts";
import { type RunningProgram, startProgram } from "./start-program.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const program = (process.env.PATH ?? "")
  .split(delimiter)
  .flatMap((directory) => NAMES.map((name) => join(directory, name)))
  .find((file) => existsSync(file));

/** A browser of its own, without a window. */
export function requireChromium(): Requirement {
  if (program !== undefined) return { missing: false };
  return { missing: true, what: "Chromium", enable: "apt-get install chromium" };
}

/** Names that lead to this machine; no other leads anywhere. */
const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP *.test 127.0.0.1, EXCLUDE localhost, EXCLUDE 127.0.0.1, MAP * ~NOTFOUND",
];

export interface OpenPage extends RunningProgram {
  /** The value of a JavaScript expression in the page, as its developer tools evaluate one. */
  evaluate(expression: string): Promise<unknown>;
}

/** Opens a page, and keeps it open until it is stopped. */
export async function openPage(url: string): Promise<OpenPage> {
  const profile = mkdtempSync(join(tmpdir(), "chromium-"));
  const args = [...FLAGS, `--user-data-dir=${profile}`, "--remote-debugging-port=0", url];
  const browser = await startProgram(program ?? "", args, {
    ready: /DevTools listening on ws:\/\/([\d.:]+)/,
    env: { HOME: profile },
  });
  return {
    pid: browser.pid,
    evaluate: (expression) => evaluateIn(`http://${browser.match[1]}`, expression),
    async stop() {
      await browser.stop();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Through the DevTools protocol, whose first page is the one that was opened. */
async function evaluateIn(devTools: string, expression: string): Promise<unknown> {
  const targets = (await (await fetch(`${devTools}/json/list`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets.find(({ type }) => type === "page")?.webSocketDebuggerUrl ?? "");
  try {
    await once(socket, "open");
    const answered = once(socket, "message");
    const params = { expression, returnByValue: true };
    socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params }));
    const [{ data }] = (await answered) as [{ data: string }];
    const { result } = JSON.parse(data) as { result?: { result?: { value?: unknown } } };
    return result?.result?.value;
  } finally {
    socket.close();
  }
}

/** What a person sees who types this address. */
export async function readPage(url: string): Promise<ProgramResult> {
  const profile = mkdtempSync(join(tmpdir(), "chromium-"));
  try {
    return await runProgram(program ?? "", [...FLAGS, `--user-data-dir=${profile}`, "--dump-dom", url], {
      env: { HOME: profile },
    });
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
