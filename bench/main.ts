// npm run bench [-- SECTION ...]: measures the sections named, or all of them, prints a table for each, keeps the
// results and writes the report. npm run bench -- report: writes the report from the results that are kept.
import { join } from "node:path";
import { writeReport } from "./report.ts";
import { keepResult, readResults, takeResult } from "./results.ts";
import { SECTIONS } from "./sections.ts";
import { toMarkdown } from "./table.ts";

/** Where results are kept and the report is written. */
const folder = process.env.BENCH_RESULTS ?? join(import.meta.dirname);

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => name !== "report" && !Object.hasOwn(SECTIONS, name));
if (unknown.length > 0) {
  console.error(`no such section: ${unknown.join(", ")}; there are ${Object.keys(SECTIONS).join(", ")}, and report`);
  process.exit(2);
}
for (const [name, { title, needs, measure }] of Object.entries(SECTIONS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const missing = needs.map((need) => need()).find((requirement) => requirement.missing);
  if (missing?.missing) {
    console.error(`${name} is left out: it needs ${missing.what}. Enable it with: ${missing.enable}`);
    process.exitCode = 1;
    continue;
  }
  try {
    const result = await takeResult(measure);
    keepResult(folder, name, result);
    console.log(`## ${title}\n\n${toMarkdown(result.rows)}\n`);
  } catch (error) {
    // The others may take an hour, and are not lost by this one.
    console.error(`${name} failed:`, error);
    process.exitCode = 1;
  }
}
writeReport(folder, readResults(folder));
