import { count } from "../bulk/count.ts";

/** So many are told one by one; of more, the first few. */
const MOST_LINES = 20;
const FIRST_FEW = 5;

/** A line for each step, or for many the first few and how many more there are. */
export function toldSteps<Step>(steps: readonly Step[], tell: (step: Step) => string): string[] {
  if (steps.length <= MOST_LINES) return steps.map(tell);
  return [...steps.slice(0, FIRST_FEW).map(tell), `and ${count(steps.length - FIRST_FEW)} more`];
}

/** `: 3 created, 1 updated` where there are several kinds, else nothing. */
export function toldKinds(kinds: Readonly<Record<string, number>>): string {
  const parts = Object.entries(kinds).filter(([, number]) => number > 0);
  return parts.length > 1 ? `: ${parts.map(([kind, number]) => `${count(number)} ${kind}`).join(", ")}` : "";
}
