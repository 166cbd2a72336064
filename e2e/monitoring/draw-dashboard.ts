// Draws the dashboard from a real run, without Grafana: installs the chart on a real API server, puts load on it for
// five minutes while a real Prometheus looks, and draws what that answers to the panels' queries. Run as: npm run
// dashboard
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PANEL_ROWS, type Panel } from "../../scripts/monitoring/dashboard-panels.ts";
import { requireHelm } from "../installation/helm.ts";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { drawPanels } from "./panels-svg.ts";
import { requirePrometheus } from "./prometheus.ts";
import { type Line, queryPanel, type Span } from "./query-panel.ts";
import { NAMESPACES, startWatchedInstallation, type WatchedInstallation } from "./watched-installation.ts";

const PICTURE = join(import.meta.dirname, "../../docs/dashboard.svg");
const SECONDS = Number(process.env.DASHBOARD_SECONDS ?? 300);

for (const requirement of [requireHelm(), requireKubernetes(), requirePrometheus()]) {
  if (requirement.missing) throw new Error(`This needs ${requirement.what}: ${requirement.enable}`);
}

/** What a day brings: many pods that are fine, some that aren't, changes, and a rush in the middle. */
async function load(site: WatchedInstallation, seconds: number): Promise<void> {
  const started = Date.now();
  const share = () => (Date.now() - started) / (seconds * 1000);
  let turn = 0;
  const worker = async () => {
    while (share() < 1) {
      const namespace = NAMESPACES[turn++ % 7] ?? NAMESPACES[0];
      if (turn % 40 === 0) await site.createPod(namespace, "no-such-key");
      else if (turn % 90 === 0) await site.createPod("shop-development", "api-key", { project: "bank" });
      else await site.createPod(namespace, "api-key");
      await delay(share() > 0.5 && share() < 0.7 ? 40 : 160);
    }
  };
  const writer = async () => {
    for (let version = 0; share() < 1; version++) {
      const id = { name: "api-key", organization: "flyte" };
      const secretSpec = { stringValue: `version ${version}`, type: "SECRET_TYPE_GENERIC" };
      await site.call("UpdateSecret", { id, secretSpec });
      await site.call("GetSecret", { id: version % 5 === 0 ? { ...id, name: "nothing" } : id });
      await site.call("ListSecrets", { organization: "flyte", limit: 10 });
      if (version % 8 === 0) await site.call("ListSecrets", { organization: "flyte" }, "wrong");
      await delay(500);
    }
  };
  await Promise.all([worker(), worker(), worker(), writer()]);
}

await using site = await startWatchedInstallation();
const secretSpec = { stringValue: "version 0", type: "SECRET_TYPE_GENERIC" };
const status = await site.call("CreateSecret", { id: { name: "api-key", organization: "flyte" }, secretSpec });
if (status !== 200) throw new Error(`CreateSecret answered ${status}`);
while (!(await site.createPod(NAMESPACES[0], "api-key"))) await delay(200);
const start = Date.now() / 1000;
await load(site, SECONDS);
const end = Date.now() / 1000;
const span: Span = {
  start: start + 10,
  end,
  stepSeconds: Math.max(1, Math.round((end - start) / 100)),
  rateInterval: "15s",
};
const lines = new Map<Panel, readonly Line[]>();
for (const panel of PANEL_ROWS.flatMap((row) => row.panels)) {
  lines.set(panel, await queryPanel(site.prometheus, panel, span));
  console.log(`${panel.title}: ${lines.get(panel)?.length ?? 0} lines`);
}
console.log(`alerts: ${await (await fetch(`${site.prometheus}/api/v1/alerts`)).text()}`);
const picture = drawPanels(lines, span);
writeFileSync(PICTURE, picture);
console.log(`docs/dashboard.svg written, ${Math.round(picture.length / 1024)} KiB`);
