import { startLoad } from "@flyte-secrets/webhook/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { startWebhookProcess, type WebhookProcess } from "./support/start-webhook.ts";

async function isReady({ probes }: WebhookProcess): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${probes}/readyz`)).ok;
  } catch {
    return false;
  }
}

test("SIGTERM of one of two webhooks under constant load: no admission fails, and it exits with 0", async () => {
  const webhooks = [await startWebhookProcess({ graceMs: 3_000 }), await startWebhookProcess({ graceMs: 3_000 })];
  const [first, second] = webhooks;
  if (!first || !second) throw new Error("two were to start");
  onTestFinished(async () => void (await second.stop()));
  // What a Service does: it sends to the pods that were ready when it last looked.
  let endpoints = webhooks;
  const looking = setInterval(async () => {
    const ready = await Promise.all(webhooks.map(isReady));
    endpoints = webhooks.filter((_, at) => ready[at]);
  }, 50);
  onTestFinished(() => clearInterval(looking));
  let turn = 0;
  const load = startLoad(8, () => endpoints[turn++ % endpoints.length] ?? second);

  await vi.waitFor(() => expect(turn).toBeGreaterThan(500), 30_000);
  const started = performance.now();
  expect(await first.stop()).toBe(0);
  expect(performance.now() - started).toBeLessThan(30_000);
  const turnAtEnd = turn;
  await vi.waitFor(() => expect(turn).toBeGreaterThan(turnAtEnd + 500), 30_000);
  const { admitted, failures } = await load.stop();
  expect(failures).toEqual([]);
  expect([...admitted.values()].every((count) => count > 100)).toBe(true);
});
