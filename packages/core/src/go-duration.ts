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

/** One amount and its unit, where a text goes on: it can be split in one way only. */
const AMOUNT = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;

/**
 * Milliseconds of a duration as Go's `time.ParseDuration` reads it (`30s`, `1m30s`, `1.5h`, `-2ms`, `0`), or undefined
 * when the text is none, in time that grows with its length. As in Go a number without a unit is none, apart from `0`
 * (C-8).
 */
export function parseGoDuration(text: string): number | undefined {
  const [sign] = /^[+-]?/.exec(text) ?? [""];
  const amounts = text.slice(sign.length);
  if (amounts === "0") return 0;
  let total = 0;
  let at = 0;
  do {
    AMOUNT.lastIndex = at;
    const [whole, amount, unit = ""] = AMOUNT.exec(amounts) ?? [];
    if (whole === undefined) return undefined;
    total += Number(amount) * (UNIT_MS[unit] ?? 0);
    at += whole.length;
  } while (at < amounts.length);
  return sign === "-" && total !== 0 ? -total : total;
}
