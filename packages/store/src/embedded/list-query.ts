import type { ListRequest, SecretId } from "@flyte-secrets/core";

const SCOPE_COLUMNS = ["org", "domain", "project"] as const;

/**
 * The query for the entries after `after`, in the order of the primary key; its last parameter is the limit. The
 * scope parts that lead without a gap are compared for equality and the rest of the order by position, so that SQLite goes
 * straight to the first entry of any page by the key: a page costs the same wherever it is and however many secrets there are.
 */
export function listQuery(
  { scope, includeSystem }: Pick<ListRequest, "scope" | "includeSystem">,
  after: SecretId | undefined,
): { sql: string; parameters: string[] } {
  const gap = SCOPE_COLUMNS.findIndex((column) => scope[column] === "");
  const leading = gap === -1 ? SCOPE_COLUMNS.length : gap;
  const filters = SCOPE_COLUMNS.filter((column) => scope[column] !== "");
  const conditions = filters.map((column) => `${column} = ?`);
  const parameters = filters.map((column) => scope[column]);
  if (after) {
    const order = [...SCOPE_COLUMNS, "name" as const].slice(leading);
    conditions.push(`(${order.join(", ")}) > (${order.map(() => "?").join(", ")})`);
    parameters.push(...order.map((column) => after[column]));
  }
  if (!includeSystem) conditions.push("system = 0");
  const where = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")} ` : "";
  return {
    sql: `SELECT * FROM secrets ${where}ORDER BY org, domain, project, name LIMIT ?`,
    parameters,
  };
}
