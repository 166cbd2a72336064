// One of several workers hangs: the others serve, it is ended, and another takes its place.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { podReview, send, taskPod } from "@flyte-secrets/webhook/testing";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../kubernetes/cluster.ts";
import { startProgram } from "../support/start-program.ts";
import { underAttack } from "./under-attack.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const REVIEW = JSON.stringify(podReview(taskPod([])));
/** The default of an API server that calls a webhook of ours. */
const PATIENCE_MS = 30_000;

/** The processes that the program has started, and they have. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

async function startWorkers() {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-workers-"));
  const [port, metrics] = [await freePort(), await freePort()];
  const settings = {
    "webhook.listenPort": port,
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    "executor.healthProbeBindAddress": "127.0.0.1:0",
    "executor.metricsBindAddress": `127.0.0.1:${metrics}`,
    "executor.metricsSecure": "false",
    "webhook.scopeBinding.domains": "d",
  };
  const args = Object.entries(settings).map(([path, value]) => `--${path}=${value}`);
  const program = await startProgram(process.execPath, [CLI, "webhook", "--workers=2", ...args], {
    ready: /Stop: Ctrl-C/,
    env: { HOME: home },
  });
  onTestFinished(async () => {
    await program.stop();
    rmSync(home, { recursive: true });
  });
  const ask = async () => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { status } = await send({ port, ca: "" }, REVIEW, { rejectUnauthorized: false, agent: false, signal });
    if (status !== 200) throw new Error(`answered ${status}`);
  };
  const exits = async () => {
    const exposition = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
    return Number(/^flyte_secrets_worker_exits_total (\d+)$/m.exec(exposition)?.[1]);
  };
  return { pid: program.pid, ask, exits, workers: () => descendants(program.pid) };
}

test("a worker that is stopped is ended and replaced; it takes one request with it at the most", async () => {
  const { pid, ask, exits, workers } = await startWorkers();
  const before = workers();
  expect(before).toHaveLength(2);
  const [stopped = 0] = before;
  let isOver = false;
  let answered = 0;
  let lost = 0;
  const count = (good: boolean) => (good ? answered++ : lost++);
  const client = async () => {
    while (!isOver)
      count(
        await ask().then(
          () => true,
          () => false,
        ),
      );
  };
  const report = await underAttack({ pid, ask }, async () => {
    process.kill(stopped, "SIGSTOP");
    const clients = Array.from({ length: 3 }, client);
    await expect.poll(workers, { timeout: 120_000, interval: 200 }).not.toContain(stopped);
    await expect.poll(() => workers().length, { timeout: 60_000, interval: 200 }).toBe(2);
    isOver = true;
    await Promise.all(clients);
  });
  // The stopped worker takes one connection, and is given no other before it has said that it has that one.
  expect(lost + report.failures.length).toBeLessThanOrEqual(1);
  expect(answered + report.answered).toBeGreaterThan(50);
  await expect.poll(() => exits().catch(String), { timeout: 60_000 }).toBe(1);
  for (let at = 0; at < 20; at++) await ask();
});

test("a program that was asleep with its workers ends none of them", async () => {
  const { pid, ask, exits, workers } = await startWorkers();
  const before = workers();
  for (const one of [pid, ...before]) process.kill(one, "SIGSTOP");
  // Longer than a worker may be silent for, by the machine's clock.
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  for (const one of [...before, pid].toReversed()) process.kill(one, "SIGCONT");
  await Promise.all(Array.from({ length: 50 }, ask));
  expect(workers()).toEqual(before);
  expect(await exits()).toBe(0);
});

test("a program whose workers all end at once goes on, and starts others", async () => {
  const { ask, exits, workers } = await startWorkers();
  const before = workers();
  for (const one of before) process.kill(one, "SIGKILL");
  await expect.poll(workers, { timeout: 60_000, interval: 200 }).not.toEqual(expect.arrayContaining([before[0]]));
  const isServing = () =>
    ask().then(
      () => true,
      () => false,
    );
  await expect.poll(isServing, { timeout: 120_000, interval: 500 }).toBe(true);
  await expect.poll(() => exits().catch(String), { timeout: 60_000 }).toBe(2);
});
