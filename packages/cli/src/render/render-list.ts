import type { ListFormat } from "../options/common-options.ts";
import { type Output, type Piece, tableWidth } from "../output.ts";
import { renderCsv } from "./render-csv.ts";
import { renderJson } from "./render-json.ts";
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
): Promise<readonly Piece[]> {
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
