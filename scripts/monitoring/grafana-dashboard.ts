import { PANEL_ROWS, type Panel } from "./dashboard-panels.ts";

const DATA_SOURCE = { type: "prometheus", uid: "$datasource" };
/** Of Grafana's 24 columns. */
const WIDTH = 8;
const HEIGHT = 8;

/** What `$scope` is in Grafana: the variables at the top. `.*` also matches where Prometheus gives no such label. */
const SCOPE = 'namespace=~"$namespace", job=~"$job"';

/** The dashboard in Grafana's form, for its sidecar and for import by hand. */
export function renderDashboard(): string {
  const panels = PANEL_ROWS.flatMap(({ title, panels: three }, index) => {
    const y = index * (HEIGHT + 1);
    return [
      { type: "row", title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] },
      ...three.map((panel, column) => toPanel(panel, { x: column * WIDTH, y: y + 1, w: WIDTH, h: HEIGHT })),
    ];
  });
  const dashboard = {
    uid: "flyte-secrets",
    title: "flyte-secrets",
    tags: ["flyte", "secrets"],
    schemaVersion: 39,
    editable: true,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    templating: { list: [DATA_SOURCES, variable("namespace"), variable("job")] },
    panels: panels.map((panel, index) => ({ id: index + 1, ...panel })),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

const DATA_SOURCES = { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" };

/** A variable with the values that a label has on what only we have. */
function variable(label: string): object {
  const query = `label_values({__name__=~"flyte_secrets_requests_limit_bytes|rpc_server_requests_limit_bytes"}, ${label})`;
  return {
    name: label,
    type: "query",
    datasource: DATA_SOURCE,
    query: { query, refId: label },
    refresh: 2,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { text: "All", value: "$__all" },
  };
}

function toPanel({ title, about, unit, queries }: Panel, gridPos: object): object {
  return {
    type: "timeseries",
    title,
    description: about,
    datasource: DATA_SOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 10, showPoints: "never" } }, overrides: [] },
    options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATA_SOURCE,
      expr: expr.replaceAll("$scope", SCOPE),
      legendFormat: legend,
    })),
  };
}
