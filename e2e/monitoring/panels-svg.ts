import { PANEL_ROWS, type Panel } from "../../scripts/monitoring/dashboard-panels.ts";
import type { Line, Span } from "./query-panel.ts";

const PANEL = { width: 400, height: 220, gap: 12 } as const;
const PLOT = { left: 52, top: 34, width: 336, height: 120 } as const;
const COLOURS = [
  "#7eb26d",
  "#eab839",
  "#6ed0e0",
  "#ef843c",
  "#e24d42",
  "#1f78c1",
  "#ba43a9",
  "#705da0",
  "#508642",
  "#cca300",
];
const MAX_LEGEND = 9;

/** The dashboard as one picture: each panel's lines, in the order of {@link PANEL_ROWS}. */
export function drawPanels(linesOf: ReadonlyMap<Panel, readonly Line[]>, span: Span): string {
  const width = 3 * PANEL.width + 4 * PANEL.gap;
  const rowHeight = PANEL.height + PANEL.gap;
  const height = PANEL_ROWS.length * rowHeight + PANEL.gap;
  const panels = PANEL_ROWS.flatMap(({ panels }, row) =>
    panels.map((panel, column) => {
      const x = PANEL.gap + column * (PANEL.width + PANEL.gap);
      return `<g transform="translate(${x} ${PANEL.gap + row * rowHeight})">${drawPanel(panel, linesOf.get(panel) ?? [], span)}</g>`;
    }),
  );
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="10">` +
    "<title>The dashboard of flyte-secrets</title>" +
    `<rect width="${width}" height="${height}" fill="#f4f5f5"/>${panels.join("\n")}</svg>\n`
  );
}

function drawPanel({ title, unit }: Panel, lines: readonly Line[], { start, end }: Span): string {
  const most = niceCeiling(Math.max(0, ...lines.flatMap(({ points }) => points.map(([, value]) => value))));
  const x = (time: number) => (PLOT.left + ((time - start) / (end - start)) * PLOT.width).toFixed(1);
  const y = (value: number) => (PLOT.top + PLOT.height - (value / most) * PLOT.height).toFixed(1);
  const parts = [
    `<rect width="${PANEL.width}" height="${PANEL.height}" fill="#fff" stroke="#dcdcdc" rx="3"/>`,
    `<text x="10" y="19" font-size="12" font-weight="600" fill="#24292e">${escapeXml(title)}</text>`,
  ];
  for (const share of [0, 0.5, 1]) {
    const at = y(share * most);
    parts.push(
      `<path d="M${PLOT.left} ${at}h${PLOT.width}" stroke="#e8e8e8"/>`,
      `<text x="${PLOT.left - 5}" y="${Number(at) + 3}" text-anchor="end" fill="#666">${format(share * most, unit)}</text>`,
    );
  }
  for (let time = Math.ceil(start / 60) * 60; time <= end; time += 60) {
    const minutes = Math.round((time - Math.ceil(start / 60) * 60) / 60);
    parts.push(
      `<text x="${x(time)}" y="${PLOT.top + PLOT.height + 13}" text-anchor="middle" fill="#666">${minutes} min</text>`,
    );
  }
  for (const [index, { points }] of lines.entries()) {
    const path = points.map(([time, value]) => `${x(time)} ${y(value)}`).join("L");
    if (path !== "") parts.push(`<path d="M${path}" fill="none" stroke="${colour(index)}" stroke-width="1.3"/>`);
  }
  for (const [index, { name }] of lines.slice(0, MAX_LEGEND).entries()) {
    const left = 10 + (index % 3) * 130;
    const top = PLOT.top + PLOT.height + 30 + Math.floor(index / 3) * 13;
    const shown = name.length > 24 ? `${name.slice(0, 23)}…` : name;
    parts.push(
      `<rect x="${left}" y="${top - 6}" width="9" height="3" fill="${colour(index)}"/>`,
      `<text x="${left + 13}" y="${top}" fill="#444" font-size="9">${escapeXml(shown || "all")}</text>`,
    );
  }
  if (lines.length === 0)
    parts.push(`<text x="${PANEL.width / 2}" y="100" text-anchor="middle" fill="#999">none</text>`);
  return parts.join("");
}

const colour = (index: number) => COLOURS[index % COLOURS.length] ?? "#000";

/** 1, 2 or 5 times a power of ten. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => value <= step * power) ?? 10) * power;
}

function format(value: number, unit: Panel["unit"]): string {
  switch (unit) {
    case "ops":
      return `${trim(value)}/s`;
    case "s":
      return value !== 0 && value < 1 ? `${trim(value * 1000)} ms` : `${trim(value)} s`;
    case "percentunit":
      return `${trim(value * 100)} %`;
    case "bytes":
      return `${trim(value / 1024 / 1024)} MiB`;
    case "short":
      return trim(value);
  }
}

const trim = (value: number) => String(Number(value.toPrecision(3)));

const escapeXml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
