import type { Panel } from "../../scripts/monitoring/dashboard-panels.ts";

/** A time in seconds since 1970, and what was there then. */
export type Point = readonly [number, number];

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Span {
  readonly start: number;
  readonly end: number;
  readonly stepSeconds: number;
  /** What Grafana calls `$__rate_interval`. */
  readonly rateInterval: string;
}

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: [number, string][];
    }[];
  };
}

/** What Prometheus has for a panel of the dashboard, as Grafana asks it. Throws for a query that it doesn't take. */
export async function queryPanel(prometheus: string, { queries }: Panel, span: Span): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { expr, legend } of queries) {
    const query = expr
      .replaceAll("$scope", 'namespace=~".*", job=~".*"')
      .replaceAll("$__rate_interval", span.rateInterval);
    const asked = { query, start: String(span.start), end: String(span.end), step: String(span.stepSeconds) };
    const answer = await fetch(`${prometheus}/api/v1/query_range?${new URLSearchParams(asked)}`);
    const { status, error, data } = (await answer.json()) as QueryAnswer;
    if (status !== "success") throw new Error(`${query}: ${error}`);
    for (const { metric, values } of data.result) {
      const name = legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? "").trim();
      const points = values.map(([time, value]) => [time, Number(value)] as const);
      lines.push({ name, points: points.filter(([, value]) => Number.isFinite(value)) });
    }
  }
  return lines;
}
