import type { Explanation } from "../explain/explain-request.ts";
import type { OutputFormat } from "../options/common-options.ts";
import { renderJson } from "./render-json.ts";
import { renderTable } from "./render-table.ts";

/** Each manager and each place it looked at, a line each. Ends with a line feed. */
export function renderExplanation(explanations: readonly Explanation[], format: OutputFormat): string {
  if (format === "json" || format === "json-raw") return renderJson(explanations, format);
  return renderTable(["manager", "looked at", "name", "result"], explanations.flatMap(toRows), format);
}

function toRows(explanation: Explanation): string[][] {
  const { manager } = explanation;
  switch (explanation.outcome) {
    case "not asked":
      return [[manager, "-", "-", "not asked"]];
    case "serves":
      return toPlaceRows(explanation);
    case "passes": {
      const rows = toPlaceRows(explanation);
      // Places without a find say it all; else there is another reason.
      const isReason = rows.length === 0 || explanation.places.some(({ found }) => found);
      return isReason ? [...rows, [manager, "-", "-", explanation.reason]] : rows;
    }
  }
}

function toPlaceRows({ manager, places }: Extract<Explanation, { outcome: "serves" | "passes" }>): string[][] {
  return places.map(({ kind, name, found }) => [manager, kind, name, found ? "found" : "not found"]);
}
