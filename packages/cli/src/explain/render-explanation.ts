import { decodeSecretId, isSecretsError, type SecretId } from "@flyte-secrets/core";
import { describeScope, type OutputFormat } from "../options/secret-options.ts";
import { renderJson } from "../render/render-list.ts";
import { renderTable } from "../render/table.ts";
import type { ExplainedRequest } from "./explain-pods.ts";
import type { Explanation, SearchedPlace } from "./explain-request.ts";

const COLUMNS = ["manager", "what", "name", "result"];

/**
 * Each manager, each place it looked at and each thing it injects, a line each, and below a table what comes of it.
 * Ends with a line feed.
 */
export function renderExplanation(explanations: readonly Explanation[], format: OutputFormat, width?: number): string {
  if (format === "json" || format === "json-raw") return renderJson(explanations, format);
  // Managers that looked nowhere come last: they matter least.
  const [looked, others] = [true, false].map((hasLooked) => explanations.filter((one) => hasPlaces(one) === hasLooked));
  const rows = [...(looked ?? []), ...(others ?? [])].flatMap(toRows);
  return renderTable(COLUMNS, rows, format, width) + conclude(explanations);
}

/** The same for each request of several pods, below a heading with the pod and the request. */
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

function hasPlaces(explanation: Explanation): boolean {
  return explanation.outcome === "serves" || (explanation.outcome === "passes" && explanation.places.length > 0);
}

/**
 * `Embedded serves it from domain dev, as variable DB_PASSWORD.`; empty if no manager serves it, which is in the
 * command's error.
 */
function conclude(explanations: readonly Explanation[]): string {
  const serving = explanations.find((one) => one.outcome === "serves");
  if (serving === undefined) return "";
  const place = serving.places.find(({ found }) => found !== false);
  const from = place === undefined ? "" : ` from ${describePlace(place)}`;
  // Other variables say where secrets are.
  const secrets = serving.injects.filter(({ kind, name }) => SHOWN.has(kind) && !name.includes("="));
  const as = secrets.map(({ kind, name }) => `${kind} ${name}`).join(" and ");
  return `${serving.manager} serves it${from}${as && `, as ${as}`}.\n`;
}

const SHOWN: ReadonlySet<string> = new Set(["variable", "file"]);

function describePlace(place: SearchedPlace): string {
  const scope = scopeIn(place);
  return scope === undefined ? `${place.kind} ${place.name}` : describeScope(scope);
}

/** The scope of a place that is one; undefined for what a secret manager calls by a name of its own. */
function scopeIn({ kind, name }: SearchedPlace): SecretId | undefined {
  try {
    return kind.endsWith(" scope") ? decodeSecretId(name) : undefined;
  } catch (error) {
    if (isSecretsError(error)) return undefined;
    throw error;
  }
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
      // Where nothing was found, the places are reason enough.
      const isReason = rows.length === 0 || explanation.places.some(({ found }) => found);
      return isReason ? [...rows, [manager, "-", "-", explanation.reason]] : rows;
    }
  }
}

function toPlaceRows({ manager, places }: Extract<Explanation, { outcome: "serves" | "passes" }>): string[][] {
  return places.map((place) => {
    const scope = scopeIn(place);
    return [manager, place.kind, scope ? describeScope(scope) : place.name, resultOf(place.found)];
  });
}

function resultOf(found: boolean | undefined): string {
  if (found === undefined) return "read when the pod starts";
  return found ? "found" : "not found";
}
