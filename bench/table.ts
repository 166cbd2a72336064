/** One line of a result table: column name to cell. */
export type Row = Readonly<Record<string, string | number>>;

/** `ours / reference` with two decimals. */
export function ratio(ours: number, reference: number): string {
  return (ours / reference).toFixed(2);
}

/** Rows as a Markdown table, columns as in the first row. */
export function toMarkdown(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns),
    line(columns.map(() => "---")),
    ...rows.map((row) => line(columns.map((column) => row[column] ?? ""))),
  ].join("\n");
}
