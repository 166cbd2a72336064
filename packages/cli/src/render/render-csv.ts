/**
 * Records as CSV (RFC 4180), with a line of names before them. A spreadsheet may take a cell for a formula that begins with
 * `=`, `+`, `@`, their full-width forms or white space before one, and with a `-` unless a number follows (`-A1` is one):
 * such a cell begins with an apostrophe here, which a spreadsheet takes for "this is text". None of our own words and times
 * begins so.
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
