import type { Fault } from "./fault.ts";
import type { ImportGraph } from "./import-graph.ts";
import { type Outcome, runTests } from "./run-tests.ts";

/** Whether the tests notice a fault: `undecided` where they are too slow just now, or fail without it too. */
export type Verdict =
  | { readonly kind: "noticed"; readonly by: string }
  | { readonly kind: "missed"; readonly tests: number }
  | { readonly kind: "undecided"; readonly why: string };

/** Test files that run together: the nearest first, since most faults are noticed there. */
const BATCHES = [2, 4, 10];
/** An endless loop is not ended by Vitest's own time limit of a test. */
const TIMEOUT_MS = 180_000;
/** Tests that hang with a fault and took less than this without are tests that notice it. */
const WELL_BELOW_MS = TIMEOUT_MS / 4;

/** Tries one fault after the other; remembers how test files do without any. */
export function createTrials(graph: ImportGraph): { try(fault: Fault): Promise<Verdict> } {
  const unplanted = new Map<string, Promise<{ readonly outcome: Outcome; readonly tookMs: number }>>();
  const withoutFault = (files: readonly string[]) => {
    const key = files.join(" ");
    const known = unplanted.get(key) ?? timed(files);
    unplanted.set(key, known);
    return known;
  };

  /** Of one batch; undefined when it passes. Files that fail without the fault too have no say. */
  async function tryBatch(fault: Fault, files: readonly string[]): Promise<Verdict | undefined> {
    if (files.length === 0) return undefined;
    const outcome = await runTests(files, { fault, timeoutMs: TIMEOUT_MS });
    if (outcome.kind === "passed") return undefined;
    const blamed = outcome.kind === "failed" ? [outcome.file] : files;
    const { outcome: usual, tookMs } = await withoutFault(blamed);
    // Of the whole file it may be the machine's.
    if (outcome.kind === "failed" && outcome.test === undefined && usual.kind === "passed") {
      const again = await runTests(blamed, { fault, timeoutMs: TIMEOUT_MS });
      const others = files.filter((file) => file !== outcome.file);
      if (again.kind === "passed") return await tryBatch(fault, others);
    }
    if (usual.kind === "failed") {
      const others = files.filter((file) => file !== usual.file);
      const further = await tryBatch(fault, others);
      return further ?? { kind: "undecided", why: `${usual.file} fails without it too` };
    }
    if (outcome.kind === "failed" && usual.kind === "passed")
      return { kind: "noticed", by: `${outcome.file}: ${outcome.what.slice(0, 200)}` };
    if (tookMs > WELL_BELOW_MS) return { kind: "undecided", why: "the machine is too busy to tell slow from hung" };
    return { kind: "noticed", by: `${files.join(", ")}: no end within ${TIMEOUT_MS / 1000} s` };
  }

  return {
    async try(fault) {
      const tests = graph.testsOf(fault.file);
      let from = 0;
      let undecided: Verdict | undefined;
      for (const size of BATCHES) {
        const files = tests.slice(from, from + size);
        from += files.length;
        const verdict = await tryBatch(fault, files);
        if (verdict?.kind === "noticed") return verdict;
        undecided ??= verdict;
      }
      return undecided ?? { kind: "missed", tests: Math.min(from, tests.length) };
    },
  };
}

async function timed(files: readonly string[]) {
  const started = performance.now();
  const outcome = await runTests(files, { timeoutMs: TIMEOUT_MS });
  return { outcome, tookMs: performance.now() - started };
}
