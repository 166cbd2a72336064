import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createKubeMetrics, createStoreReadMetric } from "./kube-metrics.ts";

test("requests are counted by verb and status, with what they took and how long the limit held them back", async () => {
  const registry = new Registry();
  const observe = createKubeMetrics(registry);
  observe({ verb: "get", status: 200, waitedMs: 0, tookMs: 4 });
  observe({ verb: "get", status: 200, waitedMs: 250, tookMs: 6 });
  observe({ verb: "create", status: 0, waitedMs: 0, tookMs: 1_000 });
  const lines = (await registry.metrics()).split("\n").filter((line) => /_(total|sum|count)\b/.test(line));
  expect(lines.filter((line) => !line.startsWith("#"))).toEqual([
    'flyte_secrets_kube_requests_total{verb="get",code="200"} 2',
    'flyte_secrets_kube_requests_total{verb="create",code="0"} 1',
    'flyte_secrets_kube_request_duration_seconds_sum{verb="get"} 0.01',
    'flyte_secrets_kube_request_duration_seconds_count{verb="get"} 2',
    'flyte_secrets_kube_request_duration_seconds_sum{verb="create"} 1',
    'flyte_secrets_kube_request_duration_seconds_count{verb="create"} 1',
    'flyte_secrets_kube_request_wait_seconds_sum{verb="get"} 0.25',
    'flyte_secrets_kube_request_wait_seconds_count{verb="get"} 2',
    'flyte_secrets_kube_request_wait_seconds_sum{verb="create"} 0',
    'flyte_secrets_kube_request_wait_seconds_count{verb="create"} 1',
  ]);
});

test("reads of the store are counted by where they are answered from", async () => {
  const registry = new Registry();
  const observe = createStoreReadMetric(registry);
  for (const from of ["memory", "backend", "memory"] as const) observe(from);
  expect((await registry.metrics()).split("\n").filter((line) => /^[^#]/.test(line))).toEqual([
    'flyte_secrets_store_reads_total{from="memory"} 2',
    'flyte_secrets_store_reads_total{from="backend"} 1',
  ]);
});
