import type { ListFormat } from "../options/secret-options.ts";
import { type Output, type StyledText, tableWidth } from "../output.ts";
import { type Column, layOutTable } from "./table.ts";

/** The formats that have fields; `table-simple` has those of `table`. */
type Kind = "table" | "wide" | "csv" | "name";

const EVERYWHERE: readonly Kind[] = ["table", "wide", "csv"];

/** One thing to know of each member of a list. */
export interface Field<T> {
  /** Heading of the column. */
  readonly head: string;
  /** Empty where there is nothing. */
  readonly of: (member: T) => string;
  /** What has it. Default: {@link EVERYWHERE}. */
  readonly in?: readonly Kind[];
  readonly column?: Omit<Column, "head">;
}

export interface ListRendering<T> {
  readonly fields: readonly Field<T>[];
  /** What `json` and `yaml` print: the list, unless it is one member alone. */
  readonly object?: unknown;
}

/** A list in any of the formats. Tables on a terminal fit its width; whatever else reads them gets them whole. */
export async function renderList<T>(
  members: readonly T[],
  format: ListFormat,
  { fields, object = members, output }: ListRendering<T> & { readonly output: Output },
): Promise<readonly StyledText[]> {
  const fieldsIn = (kind: Kind) => fields.filter((field) => (field.in ?? EVERYWHERE).includes(kind));
  const rowsOf = (chosen: readonly Field<T>[], none: string) =>
    members.map((member) => chosen.map((field) => field.of(member) || none));
  switch (format) {
    case "json":
    case "json-raw":
      return [renderJson(object, format)];
    case "yaml": {
      const { stringify } = await import("yaml");
      // Dates and classes as JSON has them.
      return [stringify(JSON.parse(JSON.stringify(object)), { aliasDuplicateObjects: false })];
    }
    case "csv": {
      const chosen = fieldsIn("csv");
      return [
        renderCsv(
          chosen.map(({ head }) => head),
          rowsOf(chosen, ""),
        ),
      ];
    }
    case "name":
      return rowsOf(fieldsIn("name"), "").map((row) => `${row.join("/")}\n`);
    case "wide":
    case "table":
    case "table-simple": {
      const chosen = fieldsIn(format === "wide" ? "wide" : "table");
      const columns = chosen.map(({ head, column }) => ({ head, ...column }));
      return layOutTable(columns, rowsOf(chosen, "-"), { frame: format === "table", width: tableWidth(output) });
    }
  }
}

/**
 * Records as CSV (RFC 4180), with a line of names before them. A spreadsheet may take a cell for a formula that begins
 * with `=`, `+`, `@`, their full-width forms or white space before one, and with a `-` unless a number follows (`-A1`
 * is one): such a cell begins with an apostrophe here, which a spreadsheet takes for "this is text". None of our own
 * words and times begins so.
 */
export function renderCsv(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, ...rows].map((row) => `${row.map(toField).join(",")}\r\n`).join("");
}

const FORMULA = /^(?:[\t\r\n]|\s*[=+@\-\uFF1D\uFF0B\uFF20\uFF0D])/;
const NEGATIVE_NUMBER = /^-\d+(?:\.\d+)?$/;

function toField(text: string): string {
  const safe = FORMULA.test(text) && !NEGATIVE_NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** JSON for people (`json`) or on one line for programs (`json-raw`). Ends with a line feed. */
export function renderJson(value: unknown, format: "json" | "json-raw"): string {
  return `${JSON.stringify(value, null, format === "json" ? 2 : 0)}\n`;
}

/** A time to the minute, in UTC: `2026-11-27 22:09Z`. Empty when there is none. */
export function shortTime(time: Date | undefined): string {
  return time === undefined ? "" : `${time.toISOString().slice(0, 16).replace("T", " ")}Z`;
}
