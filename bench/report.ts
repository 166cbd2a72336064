import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawBars, drawPlot } from "./plot.ts";
import type { Result, Results } from "./results.ts";
import { SECTIONS } from "./sections.ts";
import { formatNumber, type Row, toMarkdown, toNumber } from "./table.ts";

/** A table of more is shown in part: the plots have all. */
const MAX_ROWS = 24;

/** Files of the report by their paths: `REPORT.md`, and its pictures in `plots/`. */
export function renderReport(results: Results): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const parts = Object.entries(SECTIONS).flatMap(([name, section]) => {
    const result = results[name];
    if (result === undefined) return [`## ${section.title}\n\nNot measured yet: \`npm run bench -- ${name}\`.`];
    const drawn = [
      ...(section.plots?.(result.rows) ?? []).map((plot) => ({ plot, svg: drawPlot(plot) })),
      ...(section.bars?.(result.rows) ?? []).map((plot) => ({ plot, svg: drawBars(plot) })),
    ];
    for (const { plot, svg } of drawn) files.set(`plots/${plot.name}.svg`, svg);
    return [
      `## ${section.title}`,
      section.about,
      describeRun(name, result),
      ...drawn.map(({ plot }) => `![${plot.title}](plots/${plot.name}.svg)`),
      toMarkdown(thin(result.rows)),
    ];
  });
  files.set("REPORT.md", `${[...HEAD, ...goalsOf(results), ...parts].join("\n\n")}\n`);
  return files;
}

/** Writes the files into a folder. */
export function writeReport(folder: string, results: Results): void {
  mkdirSync(join(folder, "plots"), { recursive: true });
  for (const [path, text] of renderReport(results)) writeFileSync(join(folder, path), text);
}

const HEAD = [
  "# What was measured",
  `Written by \`npm run bench\` from [results.json](results.json), which keeps the last run of each section; [README.md](README.md)
says how to measure. A cell of several rounds is *median (lowest–highest)*, and vertical bars in the plots are the same:
that is the noise. *Load* is the machine's load average before and after: other work made a run slower when the first
figure is not near 0. References (*bare*, *floor*, *API server*, \`kubectl\`) ran in the same run on the same machine, so
compare ratios rather than rates.`,
];

function describeRun(name: string, { date, commit, node, cpu, cores, load, seconds, settings }: Result): string {
  const given = Object.entries(settings)
    .toSorted()
    .map(([variable, value]) => `${variable}=${value} `);
  const [before, after] = load.map((each) => each.toFixed(1));
  return `\`${given.join("")}npm run bench -- ${name}\`: ${date}, commit ${commit}, Node ${node.replace("v", "")}, ${cores} cores
of ${cpu}, load ${before} before and ${after} after, ${seconds} s.`;
}

function goalsOf(results: Results): string[] {
  const rows = Object.entries(SECTIONS).flatMap(([name, { goals }]) =>
    (results[name] === undefined ? [] : (goals?.(results[name].rows) ?? [])).flatMap(
      ({ goal, limit, isAtMost = false, measured }): Row[] => {
        const number = toNumber(measured);
        if (measured === undefined || number === undefined) return [];
        const isMet = isAtMost ? number <= limit : number >= limit;
        const wanted = `${isAtMost ? "at most" : "at least"} ${formatNumber(limit)}`;
        return [
          { goal, wanted, measured, met: isMet ? "yes" : "**no**", load: Math.round(results[name]?.load[0] ?? 0) },
        ];
      },
    ),
  );
  return rows.length === 0
    ? []
    : [
        "## Goals",
        "The median counts, and *load* is the load average before. What was not measured yet is left out.",
        toMarkdown(rows),
      ];
}

function thin(rows: readonly Row[]): readonly Row[] {
  const every = Math.ceil(rows.length / MAX_ROWS);
  return rows.filter((_, index) => index % every === 0 || index === rows.length - 1);
}
