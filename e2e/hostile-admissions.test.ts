import { Agent } from "node:https";
import { answerFault, hostileBody, podReview, review, send, taskPod } from "@flyte-secrets/webhook/testing";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { startWebhookProcess } from "./support/start-webhook.ts";

/** In all, and of those to warm up. */
const BODIES = Number(process.env.HOSTILE_BODIES ?? 100_000);
const BATCH = 2_000;
const CONNECTIONS = 16;

test(`${BODIES} hostile bodies: each gets a review or a 4xx, and memory stays what it was`, {
  timeout: 1_800_000,
}, async () => {
  // A small heap, in which what is kept by mistake ends the process. Its young generation has its size from the start:
  // left alone, V8 doubles it at some time by how much survives.
  const nodeOptions = ["--max-old-space-size=96", "--min-semi-space-size=16", "--max-semi-space-size=16"];
  const webhook = await startWebhookProcess({ nodeOptions });
  onTestFinished(async () => void (await webhook.stop()));
  const target = { ...webhook, agent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS }) };
  onTestFinished(() => target.agent.destroy());
  const firstSeed = Number(process.env.HOSTILE_SEED ?? Date.now() % 1_000_000_000);
  const memory: number[] = [];
  const statuses = new Map<number, number>();

  for (let seed = firstSeed; seed < firstSeed + BODIES / BATCH; seed++) {
    const bodies = fc.sample(hostileBody, { numRuns: BATCH, seed }).values();
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        for (const body of bodies) {
          const answer = await send(target, body);
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          const fault = answerFault(answer);
          if (fault) throw new Error(`seed ${seed}: ${fault}, for ${body.toString().slice(0, 2_000)}`);
        }
      }),
    );
    memory.push(webhook.memoryMib());
  }
  console.log(`seed ${firstSeed}, statuses ${JSON.stringify([...statuses])}, MiB ${memory.join(" ")}`);
  expect(await review(target, podReview(taskPod([])))).toMatchObject({ response: { allowed: true } });
  // After a quarter what is remembered of pods has been full once, and the heap has its size.
  const early = memory.slice(0, Math.ceil(memory.length / 4));
  expect(Math.min(...memory.slice(-5))).toBeLessThan(Math.max(...early) * 1.1);
});
