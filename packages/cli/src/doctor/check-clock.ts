import { type Finding, note, ok, problem } from "./finding.ts";

/** Tokens and certificates of other systems tolerate about this much. */
const CLOCK_LIMIT_MS = 30_000;

/** Whether the clock of `whom` agrees with this one, by the `Date` header of its answer. */
export function checkClock(whom: string, date: string | null | undefined): Finding {
  const differenceMs = Math.abs(Date.parse(date ?? "") - Date.now());
  if (Number.isNaN(differenceMs)) return note(`${whom} does not tell its time`);
  return differenceMs <= CLOCK_LIMIT_MS
    ? ok(`${whom}'s clock agrees with this one`)
    : problem(`${whom}'s clock is ${Math.round(differenceMs / 1000)} s off`, "set both clocks by NTP");
}
