/** What `doctor` found about one thing. */
export type Finding =
  | { readonly state: "ok" | "note"; readonly what: string }
  | { readonly state: "problem"; readonly what: string; readonly remedy: string };

export const ok = (what: string): Finding => ({ state: "ok", what });

/** Nothing wrong, but good to know: a thing that is not there yet. */
export const note = (what: string): Finding => ({ state: "note", what });

export const problem = (what: string, remedy: string): Finding => ({ state: "problem", what, remedy });

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

/** What runs in the cluster, each under an account of its own or both under one. */
export const COMPONENTS = ["service", "webhook"] as const;
export type Component = (typeof COMPONENTS)[number];
