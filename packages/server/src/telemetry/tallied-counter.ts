import { Counter, type Registry } from "prom-client";

export interface CounterDescription {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly [string] | readonly [string, string];
}

/** Adds one to the count for these values of the labels. */
export type Tally = (first: string, second?: string) => void;

/**
 * A Prometheus counter that is plain numbers until somebody reads it: the library's own costs most of a microsecond an
 * addition, which is felt where several are made for each of thousands of requests a second.
 */
export function createTalliedCounter(registry: Registry, { name, help, labelNames }: CounterDescription): Tally {
  const counts = new Map<string, Map<string, { count: number }>>();
  const [firstName, secondName] = labelNames;
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const [first, inner] of counts) {
        for (const [second, { count }] of inner) {
          this.inc({ [firstName]: first, ...(secondName && { [secondName]: second }) }, count);
        }
      }
    },
  });
  return (first, second = "") => {
    let inner = counts.get(first);
    if (inner === undefined) {
      inner = new Map();
      counts.set(first, inner);
    }
    const tally = inner.get(second);
    if (tally) tally.count++;
    else inner.set(second, { count: 1 });
  };
}
