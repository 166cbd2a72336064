// What the chart makes of the values for monitoring. No operator is here to read it, so the fields are compared one by
// one.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { CHART, helm, requireHelm } from "../installation/helm.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { requirePrometheus } from "./prometheus.ts";

interface Rule {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: object };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly groups?: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
    readonly endpoints?: readonly object[];
    readonly podMetricsEndpoints?: readonly object[];
    readonly selector?: { readonly matchLabels: object };
    readonly namespaceSelector?: object;
  };
}

describeWith(requireHelm(), "the chart's monitoring", () => {
  const render = async (values: object): Promise<Manifest[]> => {
    const text = await helm(["template", "flyte-secrets", CHART, "--namespace", "flyte"], { values });
    return parseAllDocuments(text).map((document) => document.toJS());
  };
  const of = async (kind: string, values: object) => (await render(values)).filter((each) => each.kind === kind);
  const alertsOf = async (values: object) =>
    (await of("PrometheusRule", values)).flatMap(({ spec }) => spec?.groups?.flatMap(({ rules }) => rules) ?? []);

  test("is not there until it is asked for", async () => {
    const kinds = (await render({})).map(({ kind }) => kind);
    expect(kinds.filter((kind) => /Monitor|PrometheusRule/.test(kind))).toEqual([]);
    expect((await of("ConfigMap", {})).map(({ metadata }) => metadata.name)).toEqual([
      "flyte-secrets-service",
      "flyte-secrets-webhook",
    ]);
  });

  test("has monitors find both components, and verify the webhook by the CA that it makes", async () => {
    const relabelings = [{ targetLabel: "cluster", replacement: "east" }];
    const monitor = { enabled: true, additionalLabels: { release: "kps" }, interval: "15s", relabelings };
    for (const [kind, key, list] of [
      ["ServiceMonitor", "serviceMonitor", "endpoints"],
      ["PodMonitor", "podMonitor", "podMetricsEndpoints"],
    ] as const) {
      const found = await of(kind, { [key]: monitor });
      const scrape = { port: "metrics", interval: "15s", scrapeTimeout: "10s", honorLabels: false, relabelings };
      const tlsConfig = {
        serverName: "flyte-secrets-webhook.flyte.svc",
        ca: { secret: { name: "flyte-secrets-webhook-secret", key: "ca.crt" } },
      };
      expect(Object.fromEntries(found.map(({ metadata, spec }) => [metadata.name, spec?.[list]]))).toEqual({
        "flyte-secrets-webhook": [{ ...scrape, scheme: "https", tlsConfig }],
        "flyte-secrets-service": [{ ...scrape, scheme: "http" }],
      });
      for (const { metadata, spec } of found) {
        expect(metadata.labels).toMatchObject({ release: "kps" });
        expect(spec?.namespaceSelector).toEqual({ matchNames: ["flyte"] });
      }
    }
  });

  test("verifies no certificate by a CA that the monitor's namespace, or a Secret of yours, doesn't have", async () => {
    const endpoint = async (values: object) =>
      (await of("ServiceMonitor", values)).find(({ metadata }) => metadata.name.endsWith("webhook"))?.spec
        ?.endpoints?.[0];
    const insecure = { tlsConfig: { serverName: "flyte-secrets-webhook.flyte.svc", insecureSkipVerify: true } };
    expect(await endpoint({ serviceMonitor: { enabled: true, namespace: "monitoring" } })).toMatchObject(insecure);
    expect(await endpoint({ serviceMonitor: { enabled: true }, webhook: { tlsSecret: "ours" } })).toMatchObject(
      insecure,
    );
    const plain = { configuration: { inline: { executor: { metricsSecure: false } } } };
    expect(await endpoint({ serviceMonitor: { enabled: true }, ...plain })).toMatchObject({ scheme: "http" });
    expect(await endpoint({ serviceMonitor: { enabled: true }, webhook: { hostNetwork: true } })).toBeUndefined();
  });

  test("has the alerts of what is installed, without those that are left out, with labels and remedies", async () => {
    const all = (await alertsOf({ prometheusRule: { enabled: true } })).map(({ alert }) => alert);
    expect(all).toHaveLength(18);
    const alone = await alertsOf({ prometheusRule: { enabled: true }, service: { enabled: false } });
    expect(alone.map(({ alert }) => alert)).toEqual(all.filter((alert) => !/Service|Call(er)?s/.test(alert)));

    const own = { name: "ours", rules: [{ alert: "Ours", expr: "vector(1)", labels: {}, annotations: {} }] };
    const rules = await alertsOf({
      prometheusRule: {
        enabled: true,
        disabled: ["FlyteSecretsClaimsRefused"],
        alertLabels: { team: "platform" },
        runbookUrl: "https://git.example.com/operations.md",
        extraGroups: [own],
      },
    });
    expect(rules.map(({ alert }) => alert)).toEqual([...all.filter((alert) => !/ClaimsRefused/.test(alert)), "Ours"]);
    expect(rules[0]).toMatchObject({
      labels: { severity: "critical", team: "platform" },
      annotations: { runbook_url: "https://git.example.com/operations.md#flytesecretswebhookabsent" },
    });
  });

  test("has the dashboard in a ConfigMap that Grafana's sidecar finds", async () => {
    const values = { grafanaDashboard: { enabled: true, namespace: "monitoring", extraLabels: { a: "b" } } };
    const found = (await of("ConfigMap", values)).find(({ metadata }) => metadata.name.endsWith("dashboard"));
    expect(found?.metadata).toMatchObject({ namespace: "monitoring", labels: { grafana_dashboard: "1", a: "b" } });
    const file = readFileSync(join(CHART, "files/dashboard.json"), "utf8");
    expect(JSON.parse(found?.data?.["flyte-secrets.json"] ?? "")).toEqual(JSON.parse(file));
  });

  describeWith(requirePrometheus(), "by promtool", () => {
    test("has rules that are as good as the file's, once they went through Helm", async () => {
      const values = { prometheusRule: { enabled: true, runbookUrl: "https://x/y", alertLabels: { team: "a" } } };
      const [rule] = await of("PrometheusRule", values);
      const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-rules-"));
      try {
        writeFileSync(join(directory, "rules.yaml"), JSON.stringify(rule?.spec));
        const checked = await runProgram("promtool", ["check", "rules", join(directory, "rules.yaml")]);
        expect(checked).toMatchObject({ exitCode: 0, stderr: "" });
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  });
});
