/** JSON for people (`json`) or on one line for programs (`json-raw`). Ends with a line feed. */
export function renderJson(value: unknown, format: "json" | "json-raw"): string {
  return `${JSON.stringify(value, null, format === "json" ? 2 : 0)}\n`;
}
