/** What the rounds of one measurement gave; what lies between `min` and `max` is the noise. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

export type Cell = string | number | Spread;

/** One line of a result table: column name to cell. Numbers are as they were measured: only printing rounds them. */
export type Row = Readonly<Record<string, Cell>>;

/** Of measurements of one thing, those that are NaN left out unless all are; throws without any. */
export function toSpread(values: readonly number[]): Spread {
  const known = values.filter((value) => !Number.isNaN(value));
  const sorted = (known.length > 0 ? known : values).toSorted((a, b) => a - b);
  const [median, min, max] = [sorted[Math.floor(sorted.length / 2)], sorted[0], sorted.at(-1)];
  if (median === undefined || min === undefined || max === undefined) throw new Error("nothing was measured");
  return { median, min, max, rounds: sorted.length };
}

/** The number of a cell, of several rounds the median; undefined for text and NaN. */
export function toNumber(cell: Cell | undefined): number | undefined {
  const number = typeof cell === "object" ? cell.median : cell;
  return typeof number === "number" && !Number.isNaN(number) ? number : undefined;
}

/** At least two significant digits, without decimals from 100 on: `0.043`, `1.25`, `12.5`, `1250`; `none` for NaN. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "none";
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size < 0.1 ? String(Number(value.toPrecision(2))) : value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

/** A cell as a table shows it: `median (min–max)` of several rounds. */
export function formatCell(cell: Cell): string {
  if (typeof cell === "string") return cell;
  if (typeof cell === "number") return formatNumber(cell);
  const { median, min, max, rounds } = cell;
  return rounds === 1 || Number.isNaN(median)
    ? formatNumber(median)
    : `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

/** Rows as a Markdown table, columns as in the first row. */
export function toMarkdown(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns),
    line(columns.map(() => "---")),
    ...rows.map((row) => line(columns.map((column) => formatCell(row[column] ?? "")))),
  ].join("\n");
}
