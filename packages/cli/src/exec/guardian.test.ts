import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { endWithParent } from "./guardian.ts";

/** Whether it runs; what has ended and waits for its parent does not. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** A process that starts the words, which print something, and then does nothing. */
async function startParent(words: readonly string[]) {
  const script = `const [file, ...args] = ${JSON.stringify(words)};
    process.stdout.write(\`\${require("node:child_process").spawn(file, args, { stdio: "inherit" }).pid}\\n\`);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
  const { value: pid } = await lines.next();
  const { value: printed } = await lines.next();
  return { parent, pid: Number(pid), printed };
}

it("a program ends with this process as soon as it runs, and is what was started", async () => {
  const words = [...(await endWithParent(process.env.PATH)), "sh", "-c", "echo $$; exec sleep 1000"];
  const { parent, pid, printed } = await startParent(words);
  onTestFinished(() => void (isRunning(pid) && process.kill(pid, "SIGKILL")));
  expect(printed).toBe(String(pid));
  parent.kill("SIGKILL");
  await once(parent, "exit");
  await expect.poll(() => isRunning(pid), { timeout: 60_000 }).toBe(false);
});

it("there is nothing to put before a program without setpriv, or where it has no such option", async () => {
  expect(await endWithParent("/nonexistent")).toEqual([]);
});
