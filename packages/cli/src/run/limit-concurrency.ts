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
      // Whoever waits takes this job's place, so that nobody who comes later gets ahead.
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}
