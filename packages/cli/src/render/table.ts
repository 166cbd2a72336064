import { escapeControls } from "@flyte-secrets/core";
import measure from "fast-string-truncated-width";
import type { Style, StyledText } from "../output.ts";

/**
 * Rows below a heading as text, with a frame (`table`) or in plain columns (`table-simple`); long cells are folded to
 * the width.
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

/** A column of a table. */
export interface Column {
  readonly head: string;
  /**
   * What becomes of a cell that is too long for the terminal: cut off with `…`, or continued on the next line. Default:
   * nothing.
   */
  readonly overflow?: "cut" | "fold";
  /** Narrowed only after the other columns have been. */
  readonly isLast?: boolean;
  readonly style?: Style;
}

export interface TableOptions {
  /** With lines around and between, or in plain columns that are two spaces apart. */
  readonly frame: boolean;
  /** Columns of the terminal; undefined for as wide as it takes. */
  readonly width?: number | undefined;
}

/** Cells are not narrowed further: they would be unreadable. */
const MIN_WIDTH = 8;

/**
 * Rows below a heading, whose text is escaped. It takes time in proportion to the number of cells. Each row has as many
 * cells as there are columns.
 */
export function layOutTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { frame, width }: TableOptions,
): StyledText[] {
  const cells = rows.map((row) => row.map(escapeControls));
  const natural = columns.map(({ head }, column) =>
    cells.reduce((widest, row) => Math.max(widest, widthOf(row[column] ?? "")), widthOf(head)),
  );
  const around = frame ? 3 * columns.length + 1 : 2 * (columns.length - 1);
  const widths = width === undefined ? natural : narrow(columns, natural, width - around);
  const edge = frame ? EDGES : PLAIN;
  const line = (row: readonly string[], styles: readonly (Style | undefined)[]): StyledText[] =>
    foldRow(row, columns, widths).flatMap((part) => {
      const end = frame ? part.length - 1 : part.findLastIndex((text) => text !== "");
      const shown = part.slice(0, end + 1).flatMap((text, column): StyledText[] => {
        const style = styles[column];
        const gap = column === end && !frame ? "" : " ".repeat((widths[column] ?? 0) - widthOf(text));
        return [style === undefined ? text : { text, style }, gap, column === end ? "" : edge.between];
      });
      return [edge.left, ...shown, edge.right];
    });
  const rule = ([left, between, right]: readonly [string, string, string]) =>
    frame ? [`${left}${widths.map((size) => "─".repeat(size + 2)).join(between)}${right}\n`] : [];
  return [
    ...rule(["┌", "┬", "┐"]),
    ...line(
      columns.map(({ head }) => head),
      columns.map(() => "bold"),
    ),
    ...rule(["├", "┼", "┤"]),
    ...cells.flatMap((row) =>
      line(
        row,
        columns.map(({ style }) => style),
      ),
    ),
    ...rule(["└", "┴", "┘"]),
  ];
}

const EDGES = { left: "│ ", between: " │ ", right: " │\n" };
const PLAIN = { left: "", between: "  ", right: "\n" };

/** The widths that `available` allows: the widest column gives first, those that are `isLast` after the others. */
function narrow(columns: readonly Column[], natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  const givers = (isLast: boolean) =>
    columns.flatMap((column, index) => (column.overflow && (column.isLast ?? false) === isLast ? [index] : []));
  for (const giving of [givers(false), givers(true)]) {
    for (;;) {
      const excess = widths.reduce((sum, size) => sum + size, 0) - available;
      const [widest, next] = giving.toSorted((one, other) => (widths[other] ?? 0) - (widths[one] ?? 0));
      if (excess <= 0 || widest === undefined) break;
      const size = widths[widest] ?? 0;
      if (size <= MIN_WIDTH) break;
      // Down to the next widest, and from there on together.
      const level = next === undefined || widths[next] === size ? size - 1 : (widths[next] ?? 0);
      widths[widest] = Math.max(level, size - excess, MIN_WIDTH);
    }
  }
  return widths;
}

/** The lines that a row takes. */
function foldRow(row: readonly string[], columns: readonly Column[], widths: readonly number[]): string[][] {
  const parts = row.map((text, column) => {
    const size = widths[column] ?? 0;
    if (widthOf(text) <= size) return [text];
    return columns[column]?.overflow === "fold" ? fold(text, size) : [cut(text, size)];
  });
  const height = Math.max(1, ...parts.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => parts.map((part) => part[line] ?? ""));
}

function fold(text: string, size: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (widthOf(rest) > size) {
    const { index } = measure(rest, { limit: size, ellipsis: "" });
    // Between words, else behind a sign within one.
    const space = rest.lastIndexOf(" ", index);
    const sign = Math.max(...[..."-_/=.,:"].map((each) => rest.lastIndexOf(each, index - 1)));
    const end = space > 0 ? space : Math.max(sign < 0 ? index : sign + 1, 1);
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

const cut = (text: string, size: number): string =>
  `${text.slice(0, measure(text, { limit: size, ellipsis: "…", ellipsisWidth: 1 }).index)}…`;

/** In columns of a terminal, by Unicode's East Asian width. */
function widthOf(text: string): number {
  return PRINTABLE_ASCII.test(text) ? text.length : measure(text).width;
}

const PRINTABLE_ASCII = /^[ -~]*$/;
