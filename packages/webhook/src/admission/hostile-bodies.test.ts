import { Agent } from "node:https";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { answerFault, hostileBody } from "../testing/hostile-bodies.ts";
import { podReview, taskPod } from "../testing/pod-review.ts";
import { review, send } from "../testing/post-review.ts";
import { serveForTest } from "../testing/serve-for-test.ts";

it("answers whatever body with a review or a 4xx, and goes on", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  onTestFinished(() => agent.destroy());
  const target = { ...(await serveForTest({ logLevel: "error" })), agent };
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(hostileBody, async (body) => {
      const answer = await send(target, body);
      seen.add(answer.status);
      expect(answerFault(answer)).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
  expect(seen).toEqual(new Set([200, 400]));
  expect(target.logged()).toBe("");
  expect(await review(target, podReview(taskPod([])))).toMatchObject({ response: { allowed: true } });
});

it("changes no object of its own for a body that names __proto__", async () => {
  const target = await serveForTest();
  const text = JSON.stringify(podReview(taskPod([]))).replaceAll(
    '"metadata":{',
    '"metadata":{"__proto__":{"polluted":1},',
  );
  await send(target, text);
  expect("polluted" in {}).toBe(false);
});
