import { layOutTable } from "./table.ts";

/**
 * Rows below a heading as text, with a frame (`table`) or in plain columns (`table-simple`); long cells are folded to the
 * width.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  style: "table" | "table-simple",
  width?: number,
): string {
  const columns = head.map((text) => ({ head: text, overflow: "fold" as const }));
  const pieces = layOutTable(columns, rows, { frame: style === "table", width });
  return pieces.map((piece) => (typeof piece === "string" ? piece : piece.text)).join("");
}
