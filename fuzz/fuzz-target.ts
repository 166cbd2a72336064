import { Worker } from "node:worker_threads";
import { readCorpus, readFound } from "./corpus-files.ts";
import type { Find } from "./engine/find.ts";
import type { FuzzMessage, FuzzOrder } from "./fuzz-worker.ts";
import { createInputUnderWay, readInput } from "./input-under-way.ts";

/** An input that has not come back after this time never will, also at the lowest priority on a busy machine. */
const MAX_RUN_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** Of the worker's heap: an input that needs more is a find. */
const MAX_HEAP_MB = 512;

export interface TargetReport {
  readonly runs: number;
  readonly covered: number;
  readonly corpus: readonly Uint8Array[];
  readonly finds: readonly Find[];
}

/**
 * Fuzzes one target in a thread of its own, which is ended when an input doesn't come back within a minute, needs more
 * than 512 MiB or throws where nobody can catch it: each of these is a find, and ends the run of this target.
 */
export async function fuzzTarget(target: string, options: { seed: number; runForMs: number }): Promise<TargetReport> {
  const corpus = [...readCorpus(target), ...readFound(target)].map(({ bytes }) => bytes);
  const inputUnderWay = createInputUnderWay();
  const order: FuzzOrder = { target, corpus, inputUnderWay, ...options };
  const worker = new Worker(new URL("./fuzz-worker.ts", import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const finds: Find[] = [];
  const findHere = (kind: Find["kind"], report: string): Find => {
    const { input } = readInput(inputUnderWay);
    return { kind, input, report, cause: report };
  };
  return await new Promise<TargetReport>((resolve) => {
    let done: Omit<TargetReport, "finds"> = { runs: 0, covered: 0, corpus: [] };
    let last = { number: 0, since: performance.now() };
    const watch = setInterval(() => {
      const { number } = readInput(inputUnderWay);
      const now = performance.now();
      if (number !== last.number || number === 0) last = { number, since: now };
      else if (now - last.since > MAX_RUN_MS) {
        finds.push(findHere("hang", `it did not come back within ${MAX_RUN_MS} ms`));
        void worker.terminate();
      }
    }, LOOK_EVERY_MS);
    worker.on("message", (message: FuzzMessage) => {
      if (message.type === "find") finds.push(message.find);
      else done = message;
    });
    worker.on("error", (error) => finds.push(findHere("fault", error.stack ?? String(error))));
    worker.on("exit", () => {
      clearInterval(watch);
      const runs = Math.max(done.runs, readInput(inputUnderWay).number);
      resolve({ ...done, runs, finds });
    });
  });
}
