// The dashboard's queries and the alerts, asked of a real Prometheus that reads a real installation.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { PANEL_ROWS, type Panel } from "../../scripts/monitoring/dashboard-panels.ts";
import { CHART, requireHelm } from "../installation/helm.ts";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";
import { requirePrometheus } from "./prometheus.ts";
import { queryPanel } from "./query-panel.ts";
import { startWatchedInstallation, type WatchedInstallation } from "./watched-installation.ts";

/** Of a secret manager elsewhere, which this installation has none of. */
const EMPTY = ["Values used past their expiry", "Fetches from the secret manager, by outcome"];

const panels = PANEL_ROWS.flatMap((row) => row.panels);
const requirement = [requireHelm(), requirePrometheus()].find(({ missing }) => missing) ?? requireKubernetes();

test("every panel has a title and a query of its own", () => {
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  expect(new Set(panels.flatMap(({ queries }) => queries.map(({ expr }) => expr))).size).toBe(
    panels.flatMap(({ queries }) => queries).length,
  );
});

test("the dashboard stays small enough for a ConfigMap, and names its data source by the variable", () => {
  const text = readFileSync(join(CHART, "files/dashboard.json"), "utf8");
  expect(text.length).toBeLessThan(200 * 1024);
  const { panels: drawn } = JSON.parse(text);
  const sources = drawn
    .filter((panel: { type: string }) => panel.type !== "row")
    .map((panel: Panel & { datasource: { uid: string } }) => panel.datasource.uid);
  expect(new Set(sources)).toEqual(new Set(["$datasource"]));
});

describeWith(requirement, "an installation that is watched", () => {
  let site: WatchedInstallation;
  let start = 0;

  beforeAll(async () => {
    site = await startWatchedInstallation();
    const id = { name: "api-key", organization: "flyte" };
    const secretSpec = { stringValue: "value", type: "SECRET_TYPE_GENERIC" };
    expect(await site.call("CreateSecret", { id, secretSpec })).toBe(200);
    await vi.waitUntil(() => site.createPod("shop-development", "api-key"), { timeout: 30_000, interval: 200 });
    start = Date.now() / 1000;
  });
  afterAll(() => site?.[Symbol.asyncDispose]());

  test("shows in every panel what it did", async () => {
    const empty = async () => {
      await site.createPod("shop-development", "api-key");
      await site.createPod("shop-development", "no-such-key");
      await site.createPod("shop-development", "api-key", { project: "bank" });
      await site.call("GetSecret", { id: { name: "nothing", organization: "flyte" } });
      const span = { start, end: Date.now() / 1000, stepSeconds: 1, rateInterval: "15s" };
      const answers = await Promise.all(panels.map((panel) => queryPanel(site.prometheus, panel, span)));
      return panels.filter((_, index) => answers[index]?.length === 0).map(({ title }) => title);
    };
    await vi.waitFor(async () => expect(await empty()).toEqual(EMPTY), { timeout: 60_000, interval: 500 });
  });

  test("counts pods by their namespace", async () => {
    const query = 'sum by (pod_namespace, outcome) (flyte_secrets_admissions_total{pod_namespace="shop-development"})';
    const answer = await fetch(`${site.prometheus}/api/v1/query?${new URLSearchParams({ query })}`);
    const { data } = (await answer.json()) as { data: { result: { metric: object; value: [number, string] }[] } };
    const outcomes = data.result.filter(({ value }) => Number(value[1]) > 0).map(({ metric }) => metric);
    expect(outcomes).toEqual(
      expect.arrayContaining([
        { pod_namespace: "shop-development", outcome: "changed" },
        { pod_namespace: "shop-development", outcome: "rejected" },
      ]),
    );
  });

  test("evaluates every alert without an error, and none of them is critical", async () => {
    const rules = async () => {
      const { data } = (await (await fetch(`${site.prometheus}/api/v1/rules`)).json()) as {
        data: { groups: { rules: { name: string; health: string; state: string; labels: { severity: string } }[] }[] };
      };
      return data.groups.flatMap((group) => group.rules);
    };
    await vi.waitUntil(async () => (await rules()).every(({ health }) => health !== "unknown"), { timeout: 60_000 });
    expect((await rules()).filter(({ health }) => health !== "ok")).toEqual([]);
    expect((await rules()).filter(({ state, labels }) => state === "firing" && labels.severity === "critical")).toEqual(
      [],
    );
  });
});
