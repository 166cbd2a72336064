/** Runs a job, at once or as soon as enough of the earlier ones have ended, in the order of the calls. */
export type Limit = <T>(job: () => Promise<T>) => Promise<T>;

/** Keeps the number of jobs that run at the same time at `max` or below. */
export function limitConcurrency(max: number): Limit {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (job) => {
    if (running < max) running++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await job();
    } finally {
      // The first waiting job takes this one's place, so that none that comes later overtakes it.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}

/** How many calls are in flight at a time: enough for the store to share its transactions among. */
const WINDOW = 32;

export interface ConcurrentOptions {
  /** Once it is aborted, no further step is begun. */
  readonly signal: AbortSignal;
  /** Called after each step with the number of steps done. */
  readonly onProgress?: (done: number) => void;
}

export interface ConcurrentResult<Outcome> {
  /** In the order of the steps; undefined for those that weren't begun, or failed. */
  readonly outcomes: readonly (Outcome | undefined)[];
  readonly done: number;
  /** The first step that failed, after which none was begun. */
  readonly failure: { readonly index: number; readonly error: unknown } | undefined;
}

/**
 * Runs `act` for each step, a bounded number at a time, begun in their order. Ends when all are done, or after the
 * first failure or an abort those that are in flight. Never throws.
 */
export async function runConcurrently<Step, Outcome>(
  steps: readonly Step[],
  act: (step: Step) => Promise<Outcome>,
  { signal, onProgress }: ConcurrentOptions,
): Promise<ConcurrentResult<Outcome>> {
  const outcomes: (Outcome | undefined)[] = steps.map(() => undefined);
  let failure: ConcurrentResult<Outcome>["failure"];
  let done = 0;
  const rest = steps.entries();
  const work = async () => {
    for (const [index, step] of rest) {
      if (signal.aborted || failure !== undefined) return;
      try {
        outcomes[index] = await act(step);
        done++;
        onProgress?.(done);
      } catch (error) {
        failure ??= { index, error };
      }
      if (signal.aborted || failure !== undefined) return;
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, work));
  return { outcomes, done, failure };
}
