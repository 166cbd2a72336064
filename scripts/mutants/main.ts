// npm run mutants -- [NAME...] [--sample N] [--seed S] [--minutes M]
import { createHash, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Fault, plant } from "./fault.ts";
import { readFaults } from "./faults.ts";
import { readImportGraph } from "./import-graph.ts";
import { createTrials } from "./try-fault.ts";

/** The part of the faults that tests have to notice. */
const MIN_NOTICED = 0.95;
const ROOT = join(import.meta.dirname, "../..");
const FAULTS = readFaults();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** So many of them, chosen by the seed. */
    sample: { type: "string" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    /** Begins with no further one after so long. */
    minutes: { type: "string", default: String(Number.POSITIVE_INFINITY) },
  },
});
const unknown = positionals.filter((name) => !FAULTS.some((fault) => fault.name === name || fault.file.includes(name)));
if (unknown.length > 0) {
  console.error(
    `there is no fault ${unknown.join(", ")}: give names, or parts of the names of files, of scripts/mutants/faults`,
  );
  process.exit(2);
}
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const isAsked = ({ name, file, explained }: Fault) =>
  positionals.includes(name) ||
  (explained === undefined && (positionals.length === 0 || positionals.some((part) => file.includes(part))));
const asked = FAULTS.filter(isAsked);
const chosen = values.sample === undefined ? asked : sample(asked, Number(values.sample));
const end = performance.now() + Number(values.minutes) * 60_000;
console.log(`planting ${chosen.length} of ${FAULTS.length} faults, --seed ${values.seed}`);

const trials = createTrials(readImportGraph(ROOT));
const counts = { noticed: 0, missed: 0, undecided: 0, stale: 0 };
for (const fault of chosen) {
  if (performance.now() > end) break;
  const started = performance.now();
  const verdict = isStale(fault) ? ({ kind: "stale" } as const) : await trials.try(fault);
  counts[verdict.kind]++;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  switch (verdict.kind) {
    case "noticed":
      console.log(`noticed   ${fault.name} (${seconds} s) by ${verdict.by}`);
      break;
    case "undecided":
      console.log(`undecided ${fault.name} (${seconds} s): ${verdict.why}`);
      break;
    case "missed":
      console.log(`MISSED    ${fault.name} (${seconds} s), ${verdict.tests} test files: ${fault.file}: ${fault.harm}`);
      break;
    case "stale":
      console.log(`STALE     ${fault.name}: its text is not in ${fault.file} exactly once any more`);
  }
}
const { noticed, missed, undecided, stale } = counts;
console.log(`${noticed} noticed, ${missed} missed, ${undecided} undecided, ${stale} stale`);
const judged = noticed + missed + stale;
// Of a sample one may be missed: of all, the given part.
const isEnough = missed + stale <= Math.max(judged * (1 - MIN_NOTICED), values.sample === undefined ? 0 : 1);
process.exitCode = isEnough ? 0 : 1;

function isStale(fault: Fault): boolean {
  return plant(readFileSync(join(ROOT, fault.file), "utf8"), fault) === undefined;
}

/** In an order that the seed alone decides. */
function sample(faults: readonly Fault[], size: number): Fault[] {
  const rank = ({ name }: Fault) => createHash("sha256").update(`${values.seed} ${name}`).digest("hex");
  return faults.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1)).slice(0, size);
}
