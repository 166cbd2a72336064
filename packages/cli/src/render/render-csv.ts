/**
 * Records as CSV (RFC 4180), with a line of names before them. A spreadsheet takes a cell that begins with `=`, `+`, `@` or a tab for a
 * formula, so such a cell begins with an apostrophe here, which a spreadsheet takes for "this is text"; none of our own names and times
 * begins so. Neither is a `-` before letters and digits alone, with which a name may begin.
 */
export function renderCsv(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, ...rows].map((row) => `${row.map(toField).join(",")}\r\n`).join("");
}

function toField(text: string): string {
  const safe = /^[=+@\t\r]|^-.*[^\w-]/s.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
