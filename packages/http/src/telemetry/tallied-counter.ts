import type { Registry } from "prom-client";
import { loadPrometheus } from "./lazy-libraries.ts";

export interface CounterDescription {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly [string] | readonly [string, string] | readonly [string, string, string];
}

/** Adds one to the count for these values of the labels. */
export type Tally = (first: string, second?: string, third?: string) => void;

/**
 * A Prometheus counter that is plain numbers until somebody reads it: the library's own costs most of a microsecond an
 * addition, which is felt where several are made for each of thousands of requests a second.
 */
export function createTalliedCounter(registry: Registry, { name, help, labelNames }: CounterDescription): Tally {
  const { Counter } = loadPrometheus();
  const counts = new Map<string, Map<string, Map<string, { count: number }>>>();
  const [firstName, secondName, thirdName] = labelNames;
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const [first, seconds] of counts) {
        for (const [second, thirds] of seconds) {
          const labels = { [firstName]: first, ...(secondName && { [secondName]: second }) };
          for (const [third, { count }] of thirds)
            this.inc({ ...labels, ...(thirdName && { [thirdName]: third }) }, count);
        }
      }
    },
  });
  return (first, second = "", third = "") => {
    let seconds = counts.get(first);
    if (seconds === undefined) {
      seconds = new Map();
      counts.set(first, seconds);
    }
    let thirds = seconds.get(second);
    if (thirds === undefined) {
      thirds = new Map();
      seconds.set(second, thirds);
    }
    const tally = thirds.get(third);
    if (tally) tally.count++;
    else thirds.set(third, { count: 1 });
  };
}
