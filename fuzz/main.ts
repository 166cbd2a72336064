// npm run fuzz -- [TARGET...] [--minutes N] [--seed S] [--save] [--tolerate-slow], or TARGET --input FILE
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { saveCorpus, saveFind, saveFound, targetNames } from "./corpus-files.ts";
import { fuzzTarget } from "./fuzz-target.ts";
import type { FuzzTarget } from "./target.ts";

const DEFAULT_MINUTES = 5;
const MAX_SHOWN_BYTES = 2_048;
const MAX_REPEAT_MS = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** In all: each target gets the same share. */
    minutes: { type: "string", default: String(DEFAULT_MINUTES) },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    /** Puts what it found into the repository's corpus; otherwise it stays in `fuzz/.found`. */
    save: { type: "boolean", default: false },
    /** Tells slow inputs without failing for them: for a machine on which other programs run. */
    "tolerate-slow": { type: "boolean", default: false },
    /** Runs the one target on this file alone, once. */
    input: { type: "string" },
  },
});
const unknown = positionals.filter((name) => !targetNames().includes(name));
if (unknown.length > 0) {
  console.error(`there is no target ${unknown.join(", ")}; there are ${targetNames().join(", ")}`);
  process.exit(2);
}
if (values.input !== undefined) {
  await runOnce(positionals[0] ?? "", readFileSync(values.input));
  process.exit();
}
const targets = positionals.length > 0 ? positionals : targetNames();
const seed = Number(values.seed);
const runForMs = (Number(values.minutes) * 60_000) / targets.length;
console.log(`fuzzing ${targets.length} targets for ${(runForMs / 1000).toFixed(1)} s each, --seed ${seed}`);

let finds = 0;
let failures = 0;
for (const target of targets) {
  const started = performance.now();
  const report = await fuzzTarget(target, { seed, runForMs });
  const seconds = (performance.now() - started) / 1000;
  (values.save ? saveCorpus : saveFound)(target, report.corpus);
  const { runs, covered, corpus } = report;
  console.log(
    `${target}: ${runs} runs in ${seconds.toFixed(0)} s, ${covered} stretches of code, ${corpus.length} inputs kept, ${report.finds.length} finds`,
  );
  for (const find of report.finds) {
    finds++;
    const { length } = find.input;
    const file = saveFind(target, find.input);
    console.log(`FIND (${find.kind}) ${file}\n${find.report}`);
    // What is slow was run several times already.
    const isFailure = find.kind === "slow" ? !values["tolerate-slow"] : isRepeated(target, file);
    if (isFailure) failures++;
    else console.log("which doesn't count: slow beside others, or not seen again in a process of its own");
    // For machines that nobody can copy a file from.
    if (length <= MAX_SHOWN_BYTES) console.log(`base64: ${Buffer.from(find.input).toString("base64")}`);
  }
}
console.log(
  finds === 0
    ? "nothing found"
    : `${finds} finds, ${failures} of them faults that come again: run one with npm run fuzz -- TARGET --input FILE`,
);
process.exitCode = failures === 0 ? 0 : 1;

/** Whether an input ends as badly in a fresh process. One that depends on keys of the run it was found in can't. */
function isRepeated(target: string, file: string): boolean {
  const args = [import.meta.filename, target, "--input", file];
  return spawnSync(process.execPath, args, { timeout: MAX_REPEAT_MS, stdio: "ignore" }).status !== 0;
}

async function runOnce(name: string, input: Uint8Array): Promise<void> {
  const { target }: { target: FuzzTarget } = await import(`./targets/${name}.ts`);
  const opened = await target.open();
  const started = performance.now();
  await opened.run(input);
  console.log(`taken or refused as it should be, in ${(performance.now() - started).toFixed(1)} ms`);
  await opened.close?.();
}
