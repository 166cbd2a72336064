import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSecretsError } from "@flyte-secrets/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockDirectory } from "./running-server.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "flyte-secrets-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function refusal(): string {
  try {
    lockDirectory(directory)();
    return "taken";
  } catch (error) {
    return isSecretsError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

it("is one server's until that one gives it back", () => {
  const release = lockDirectory(directory);
  expect(refusal()).toBe(
    `listen_failed: another server runs on ${directory}: flyte-secrets serve --status shows it, and --stop ends it; or give this one a data directory of its own (secret.store.path)`,
  );
  expect(statSync(join(directory, "server.lock")).mode & 0o777).toBe(0o600);
  release();
  expect(refusal()).toBe("taken");
});

it("ends with the process that has it, also when that is killed", async () => {
  const module = JSON.stringify(join(import.meta.dirname, "../../dist/data-directory/running-server.js"));
  const script = `import { lockDirectory } from ${module}; globalThis.release = lockDirectory(process.argv[1]); console.log("locked"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script, directory]);
  await firstOutput(child);
  expect(refusal()).toMatch(/^listen_failed: another server runs on /);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(refusal()).toBe("taken");
});

it("is had by one of several servers that start at once", async () => {
  const module = JSON.stringify(join(import.meta.dirname, "../../dist/data-directory/running-server.js"));
  const script = `import { lockDirectory } from ${module}; let said = "locked";
    try { globalThis.release = lockDirectory(process.argv[1]); } catch (error) { said = error.code; }
    console.log(said); process.stdin.resume();`;
  const children = [1, 2, 3, 4].map(() => spawn(process.execPath, ["--input-type=module", "-e", script, directory]));
  const said = await Promise.all(children.map(firstOutput));
  for (const child of children) child.kill("SIGKILL");
  expect(said.sort()).toEqual(["listen_failed", "listen_failed", "listen_failed", "locked"]);
});

/** What a process prints first; fails when it ends without printing. */
async function firstOutput(child: ChildProcessWithoutNullStreams): Promise<string> {
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the process ended without output")));
  const [text] = await Promise.race([once(child.stdout, "data"), ended]);
  return String(text).trim();
}
