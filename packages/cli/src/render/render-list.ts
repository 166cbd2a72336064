import type { ListFormat } from "../options/common-options.ts";
import { type Output, type Piece, tableWidth } from "../output.ts";
import { renderCsv } from "./render-csv.ts";
import { renderJson } from "./render-json.ts";
import { type Column, layOutTable } from "./table.ts";

/** One thing to know of each member of a list. */
export interface Field<T> {
  /** Heading of the column. */
  readonly head: string;
  /** Empty where there is nothing. */
  readonly of: (member: T) => string;
  /** Which tables have it. Default: all. */
  readonly in?: "wide" | "table";
  readonly column?: Omit<Column, "head">;
}

export interface ListRendering<T> {
  /** The first one is what `name` prints. */
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
      const chosen = fields.filter((field) => field.in !== "table");
      return [
        renderCsv(
          chosen.map(({ head }) => head),
          rowsOf(chosen, ""),
        ),
      ];
    }
    case "name":
      return members.map((member) => `${fields[0]?.of(member) ?? ""}\n`);
    case "wide":
    case "table":
    case "table-simple": {
      const left = format === "wide" ? "table" : "wide";
      const chosen = fields.filter((field) => field.in !== left);
      const columns = chosen.map(({ head, column }) => ({ head, ...column }));
      return layOutTable(columns, rowsOf(chosen, "-"), { frame: format === "table", width: tableWidth(output) });
    }
  }
}
