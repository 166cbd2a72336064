import { count } from "../bulk/count.ts";

/** So many are told one by one; of more, the first few. */
const MOST_LINES = 20;
const FIRST_FEW = 5;

export interface ToldSteps<Step> {
  readonly tell: (step: Step) => string;
  /** What was done: of many steps, each kind has its own first few. */
  readonly kindOf: (step: Step) => string;
}

/** A line for each step, or for many the first few of each kind and below them how many more there are of it. */
export function toldSteps<Step>(steps: readonly Step[], { tell, kindOf }: ToldSteps<Step>): string[] {
  if (steps.length <= MOST_LINES) return steps.map(tell);
  return [...Map.groupBy(steps, kindOf).values()].flatMap((kind) => {
    // One more is no longer than its own line.
    if (kind.length <= FIRST_FEW + 1) return kind.map(tell);
    return [...kind.slice(0, FIRST_FEW).map(tell), `and ${count(kind.length - FIRST_FEW)} more`];
  });
}

/** `: 3 created, 1 updated` where there are several kinds, else nothing. */
export function toldKinds(kinds: Readonly<Record<string, number>>): string {
  const parts = Object.entries(kinds).filter(([, number]) => number > 0);
  return parts.length > 1 ? `: ${parts.map(([kind, number]) => `${count(number)} ${kind}`).join(", ")}` : "";
}
