import { renderJson } from "../render/render-list.ts";
import { renderTable } from "../render/table.ts";
import { describe } from "./describe-verdict.ts";
import { renderGithub } from "./render-github.ts";
import { renderJunit } from "./render-junit.ts";
import { renderSarif } from "./render-sarif.ts";
import type { CheckFormat, Verdict } from "./verdict.ts";

/** Verdicts in a format, with a line feed at the end if there is anything. `width` is that of the terminal. */
export function renderVerdicts(verdicts: readonly Verdict[], format: CheckFormat, width?: number): string {
  switch (format) {
    case "table":
    case "table-simple":
      return verdicts.length === 0 ? "" : renderTable(COLUMNS, verdicts.map(toRow), format, width);
    case "json":
    case "json-raw":
      return renderJson(verdicts, format);
    case "junit":
      return renderJunit(verdicts);
    case "sarif":
      return renderSarif(verdicts);
    case "github":
      return renderGithub(verdicts);
  }
}

const COLUMNS = ["file", "asks", "secret", "verdict", "why"];

function toRow(one: Verdict): string[] {
  return [one.file, one.subject, one.secret ?? "", `${one.level}: ${one.code}`.replace(/^ok: /, ""), describe(one)];
}
