import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { createBatchedHistogram } from "./batched-histogram.ts";

async function countAndSum(registry: Registry): Promise<readonly string[]> {
  const lines = (await registry.metrics()).split("\n");
  return lines.filter((line) => /^latency_(count|sum|bucket\{le="0.1")/.test(line));
}

it("shows everything that was observed before it is read, once", async () => {
  const registry = new Registry();
  const observe = createBatchedHistogram(registry, { name: "latency", help: "How long.", labels: { path: "/" } });
  for (let n = 0; n < 1_000; n++) observe(n < 300 ? 0.0625 : 0.125);
  const expected = [
    'latency_bucket{le="0.1",path="/"} 300',
    'latency_sum{path="/"} 106.25',
    'latency_count{path="/"} 1000',
  ];
  expect(await countAndSum(registry)).toEqual(expected);
  expect(await countAndSum(registry)).toEqual(expected);
});
