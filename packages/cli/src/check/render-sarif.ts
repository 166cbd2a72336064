import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { version } from "../program-files.ts";
import { about, describe } from "./describe-verdict.ts";
import { VERDICTS, type Verdict } from "./verdict.ts";

const CODES = Object.keys(VERDICTS);

/** Verdicts as a SARIF 2.1.0 log, without those that are as they should be. */
export function renderSarif(verdicts: readonly Verdict[]): string {
  const rules = Object.entries(VERDICTS).map(([id, { level, title }]) => ({
    id,
    shortDescription: { text: title },
    defaultConfiguration: { level: level === "ok" ? "none" : level },
  }));
  const results = verdicts
    .filter(({ level }) => level !== "ok")
    .map((one) => ({
      ruleId: one.code,
      ruleIndex: CODES.indexOf(one.code),
      level: one.level,
      message: { text: `${about(one)}: ${describe(one)}` },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: toUri(one.file) }, region: { startLine: 1 } },
          logicalLocations: [{ fullyQualifiedName: one.subject }],
        },
      ],
    }));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver: { name: "flyte-secrets check", version: version(), rules } }, results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function toUri(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href;
  return file.split("/").map(encodeURIComponent).join("/");
}
