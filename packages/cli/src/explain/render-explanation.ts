import type { OutputFormat } from "../options/secret-options.ts";
import { renderJson } from "../render/render-list.ts";
import { renderTable } from "../render/table.ts";
import type { ExplainedRequest } from "./explain-pods.ts";
import type { Explanation } from "./explain-request.ts";

const COLUMNS = ["manager", "what", "name", "result"];

/** Each manager, each place it looked at and each thing it injects, a line each. Ends with a line feed. */
export function renderExplanation(explanations: readonly Explanation[], format: OutputFormat, width?: number): string {
  if (format === "json" || format === "json-raw") return renderJson(explanations, format);
  return renderTable(COLUMNS, explanations.flatMap(toRows), format, width);
}

/** The same for each request of pods, below a line that says whose it is and what it asks for. */
export function renderExplainedRequests(
  requests: readonly ExplainedRequest[],
  format: OutputFormat,
  width?: number,
): string {
  if (format === "json" || format === "json-raw") return renderJson(requests, format);
  return requests
    .map(
      ({ object, request, managers }) =>
        `${object}: ${describe(request)}\n${renderExplanation(managers, format, width)}`,
    )
    .join("\n");
}

function describe({ group, groupVersion, key, mountRequirement, envVar }: ExplainedRequest["request"]): string {
  const parts = { key, group, "group version": groupVersion, mount: mountRequirement, variable: envVar };
  return Object.entries(parts)
    .flatMap(([name, value]) => (value === "" ? [] : [`${name} ${value}`]))
    .join(", ");
}

function toRows(explanation: Explanation): string[][] {
  const { manager } = explanation;
  switch (explanation.outcome) {
    case "not asked":
      return [[manager, "-", "-", "not asked"]];
    case "serves":
      return [
        ...toPlaceRows(explanation),
        ...explanation.injects.map(({ kind, name }) => [manager, kind, name, "injected"]),
      ];
    case "passes": {
      const rows = toPlaceRows(explanation);
      // Places without a find say it all; else there is another reason.
      const isReason = rows.length === 0 || explanation.places.some(({ found }) => found);
      return isReason ? [...rows, [manager, "-", "-", explanation.reason]] : rows;
    }
  }
}

function toPlaceRows({ manager, places }: Extract<Explanation, { outcome: "serves" | "passes" }>): string[][] {
  return places.map(({ kind, name, found }) => [manager, kind, name, resultOf(found)]);
}

function resultOf(found: boolean | undefined): string {
  if (found === undefined) return "read when the pod starts";
  return found ? "found" : "not found";
}
