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

/** Opens a page, and keeps it open until it is stopped. */
export async function openPage(url: string): Promise<RunningProgram> {
  const profile = mkdtempSync(join(tmpdir(), "chromium-"));
  const args = [...FLAGS, `--user-data-dir=${profile}`, "--remote-debugging-port=0", url];
  const browser = await startProgram(program ?? "", args, { ready: /DevTools listening/, env: { HOME: profile } });
  return {
    pid: browser.pid,
    async stop() {
      await browser.stop();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
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
