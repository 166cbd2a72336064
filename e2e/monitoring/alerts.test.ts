// The chart's alerts, by Prometheus' own tool: what they say of series that make them fire, and of series that don't
// quite.
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ERROR_KINDS } from "@flyte-secrets/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { CHART } from "../installation/helm.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { requirePrometheus } from "./prometheus.ts";

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly object[] }[];
  }[];
}

const ALERTS = join(CHART, "files/alerts.yaml");
const TESTS = join(import.meta.dirname, "alerts-test.yaml");
const rules = parse(readFileSync(ALERTS, "utf8")) as Rules;
const alerts = rules.groups.flatMap((group) => group.rules);

test("each alert has a case in which it fires", () => {
  const { tests } = parse(readFileSync(TESTS, "utf8")) as RuleTests;
  const cases = tests.flatMap((one) => one.alert_rule_test);
  const fired = new Set(cases.filter((one) => one.exp_alerts.length > 0).map(({ alertname }) => alertname));
  expect(alerts.map(({ alert }) => alert).filter((alert) => !fired.has(alert))).toEqual([]);
});

test("each alert has a section of its own in docs/operations.md, which its runbook_url leads to", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");
  const titles = Array.from(page.matchAll(/^### (FlyteSecrets\w+)$/gm), ([, title]) => title);
  expect(titles).toEqual(alerts.map(({ alert }) => alert));
});

test("the codes that count as faults of the installation are those that the author of a pod can do nothing about", () => {
  const faults = Object.entries(ERROR_KINDS).filter(([, { mendedBy }]) => mendedBy !== "author");
  const codes = faults.map(([code]) => code).toSorted();
  const { expr } = alerts.find(({ alert }) => alert === "FlyteSecretsAdmissionsFail") ?? { expr: "" };
  expect(/code=~"([^"]*)"/.exec(expr)?.[1]?.split("|")).toEqual(codes);
});

describeWith(requirePrometheus(), "the chart's alerts", () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "flyte-secrets-alerts-"));
    copyFileSync(ALERTS, join(directory, "alerts.yaml"));
    copyFileSync(TESTS, join(directory, "alerts-test.yaml"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  const promtool = (...args: string[]) => runProgram("promtool", args);

  test("are rules that Prometheus takes, without a fault that it warns of", async () => {
    const { exitCode, stdout, stderr } = await promtool("check", "rules", join(directory, "alerts.yaml"));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain(`SUCCESS: ${alerts.length} rules found`);
  });

  test("fire when they should, with what they say, and not before", async () => {
    const { exitCode, stdout, stderr } = await promtool("test", "rules", join(directory, "alerts-test.yaml"));
    expect(`${stderr}${stdout}`).toContain("SUCCESS");
    expect(exitCode).toBe(0);
  });
});
