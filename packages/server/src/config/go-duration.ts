const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "\u00b5s": 1e-3,
  "\u03bcs": 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Milliseconds of a duration as Go's `time.ParseDuration` reads it (`30s`, `1m30s`, `1.5h`, `-2ms`, `0`), or undefined when
 * the text is none. As in Go a number without a unit is none, apart from `0`.
 */
export function parseGoDuration(text: string): number | undefined {
  const match = /^([+-]?)(0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, amounts = ""] = match;
  let total = 0;
  for (const [, amount, unit = ""] of amounts.matchAll(/([\d.]+)([^\d.]+)/g))
    total += Number(amount) * (UNIT_MS[unit] ?? 0);
  return sign === "-" && total !== 0 ? -total : total;
}
