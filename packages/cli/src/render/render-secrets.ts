import type { Secret } from "@flyte-secrets/sdk/remote";
import type { OutputFormat } from "../options/common-options.ts";
import { renderJson } from "./render-json.ts";
import { renderTable } from "./render-table.ts";

const COLUMNS = ["project", "domain", "name", "type", "created time", "status", "cluster status"];

/** Secrets as a table, or as a JSON list of what Flyte's clients print. Ends with a line feed. */
export function renderSecrets(secrets: readonly Secret[], format: OutputFormat): string {
  return format === "json" || format === "json-raw"
    ? renderJson(secrets, format)
    : renderTable(COLUMNS, secrets.map(toRow), format);
}

/** One secret, as {@link renderSecrets} has it: in JSON the object itself. */
export function renderSecret(secret: Secret, format: OutputFormat): string {
  return format === "json" || format === "json-raw" ? renderJson(secret, format) : renderSecrets([secret], format);
}

function toRow({ project, domain, name, type, createdTime, status, clusterStatus }: Secret): string[] {
  const clusters = clusterStatus.map(({ cluster, status }) => `${cluster}: ${status}`).join(", ");
  return [project || "-", domain || "-", name, type, createdTime?.toISOString() ?? "-", status, clusters];
}
