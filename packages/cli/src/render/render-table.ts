import { escapeControls } from "@flyte-secrets/core";
import Table from "cli-table3";

/** Empty strings for every line of the frame: columns apart by two spaces only. */
const NO_FRAME = Object.fromEntries(
  ["top", "bottom", "left", "right", "mid"]
    .flatMap((side) => [side, `${side}-mid`, `${side}-left`, `${side}-right`, `left-${side}`, `right-${side}`])
    .concat("middle")
    .map((part) => [part, ""]),
);

/** Rows below a heading, with a frame (`table`) or in plain columns (`table-simple`). Ends with a line feed. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  style: "table" | "table-simple",
): string {
  const framed = style === "table";
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], "padding-left": framed ? 1 : 0, "padding-right": framed ? 1 : 2 },
    ...(!framed && { chars: NO_FRAME }),
  });
  for (const row of rows) table.push(row.map(escapeControls));
  const lines = table.toString().split("\n");
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
