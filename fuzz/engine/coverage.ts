import { type Profiler, Session } from "node:inspector";

/** Says which code of ours has run. */
export interface Coverage {
  /**
   * How many stretches of code have run since the last call of either method that were not known; they are known from
   * now on.
   */
  takeNew(): number;
  /** As {@link Coverage.takeNew}, but they stay unknown. */
  peekNew(): number;
  /** How many stretches are known in all. */
  readonly known: number;
  close(): void;
}

/** Measures the scripts of this thread whose address `isOurs` accepts, by V8's precise block coverage. */
export function startCoverage(isOurs: (url: string) => boolean): Coverage {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  /** For each script a mark at every character that has run. */
  const seen = new Map<string, Uint8Array>();
  let known = 0;

  function collect(remember: boolean): number {
    let found = 0;
    for (const script of takeScripts(session)) {
      if (!isOurs(script.url)) continue;
      const ran = paint(script.functions);
      let before = seen.get(script.scriptId) ?? new Uint8Array();
      if (before.length < ran.length) {
        const longer = new Uint8Array(ran.length);
        longer.set(before);
        before = longer;
      }
      found += countNew(ran, before, remember);
      if (remember) seen.set(script.scriptId, before);
    }
    if (remember) known += found;
    return found;
  }
  return {
    takeNew: () => collect(true),
    peekNew: () => collect(false),
    get known() {
      return known;
    },
    close: () => session.disconnect(),
  };
}

/** What ran since it was last asked: V8 sets its counters to zero then. */
function takeScripts(session: Session): readonly Profiler.ScriptCoverage[] {
  let scripts: readonly Profiler.ScriptCoverage[] = [];
  // A session of the own thread answers at once.
  session.post("Profiler.takePreciseCoverage", (error, { result }) => {
    if (error) throw error;
    scripts = result;
  });
  return scripts;
}

/** A mark at each character that ran. Inner functions and blocks come after what they are in, and say better. */
function paint(functions: readonly Profiler.FunctionCoverage[]): Uint8Array {
  const ranges = functions.flatMap((each) => each.ranges);
  const painted = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
  for (const { startOffset, endOffset, count } of ranges) painted.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return painted;
}

function countNew(ran: Uint8Array, before: Uint8Array, remember: boolean): number {
  let stretches = 0;
  let inNew = false;
  for (let at = 0; at < ran.length; at++) {
    const isNew = ran[at] === 1 && before[at] === 0;
    if (isNew && !inNew) stretches++;
    if (isNew && remember) before[at] = 1;
    inNew = isNew;
  }
  return stretches;
}
