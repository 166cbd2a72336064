import { excerpt, isObject, nearestName } from "@flyte-secrets/core";
import type { Schema } from "./schema.ts";

/** What is wrong in a document. Nothing of its content is quoted but keys. */
export interface Violation {
  /** Keys and indexes that lead to what breaks the rule. */
  readonly path: readonly (string | number)[];
  /** The key in it that does, if one does. */
  readonly key?: string;
  /** The end of a sentence that begins with the path. */
  readonly problem: string;
}

/** Keys under which people look for a place for the value itself. */
const VALUES: ReadonlySet<string> = new Set(["value", "values", "default", "content", "data"]);

/** The first violation of a schema in a document, in the document's order. */
export function findViolation(schema: Schema, value: unknown, path: Violation["path"] = []): Violation | undefined {
  switch (schema.type) {
    case "object":
      return isObject(value) ? inObject(schema, value, path) : { path, problem: "must be a map" };
    case "array":
      if (!Array.isArray(value)) return { path, problem: "must be a list, with a dash before each entry" };
      if (value.length > schema.maxItems) return { path, problem: `has more than ${schema.maxItems} entries` };
      return first(value, (item, index) => findViolation(schema.items, item, [...path, index]));
    case "boolean":
      return typeof value === "boolean" ? undefined : { path, problem: "must be true or false" };
    case "string": {
      const problem = textProblem(schema, value);
      return problem === undefined ? undefined : { path, problem };
    }
  }
}

function inObject(
  schema: Extract<Schema, { type: "object" }>,
  value: Readonly<Record<string, unknown>>,
  path: Violation["path"],
): Violation | undefined {
  const { properties = {}, additionalProperties, propertyNames, maxProperties = Number.POSITIVE_INFINITY } = schema;
  const keys = Object.keys(value);
  if (keys.length > maxProperties) return { path, problem: `has more than ${maxProperties} keys` };
  const found = first(keys, (key) => {
    const inside = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    if (!inside) return { path, key, problem: unknownKey(key, Object.keys(properties)) };
    const problem = propertyNames && textProblem({ type: "string", ...propertyNames }, key);
    if (problem) return { path, key, problem: `has a key ${excerpt(key)}, and each ${problem}` };
    return findViolation(inside, value[key], [...path, key]);
  });
  if (found !== undefined) return found;
  const missing = schema.required?.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) return { path, problem: `has no ${missing}` };
  const choices = schema.anyOf?.map(({ required: [key] }) => key) ?? [];
  if (choices.length === 0 || choices.some((key) => Object.hasOwn(value, key))) return undefined;
  return { path, problem: `has no ${choices.join(" and no ")}` };
}

function unknownKey(key: string, known: readonly string[]): string {
  if (VALUES.has(key.toLowerCase())) {
    return (
      `has a key ${key}: values have no place in this file, which everybody reads who reads the repository; keep them ` +
      "with: flyte-secrets create secret KEY"
    );
  }
  const nearest = nearestName(key, known);
  const guess = nearest === undefined ? `its keys are ${known.join(", ")}` : `did you mean ${nearest}?`;
  return `has an unknown key ${excerpt(key)}; ${guess}`;
}

function textProblem(schema: Extract<Schema, { type: "string" }>, value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return "must be text: write it in quotes";
  if (typeof value !== "string") return "must be text";
  if ("enum" in schema) {
    return schema.enum.includes(value) ? undefined : `must be one of ${schema.enum.join(", ")}`;
  }
  const isText = [...value].length <= schema.maxLength && new RegExp(schema.pattern, "u").test(value);
  return isText ? undefined : schema.patternErrorMessage;
}

function first<T>(items: readonly T[], find: (item: T, index: number) => Violation | undefined): Violation | undefined {
  for (const [index, item] of items.entries()) {
    const violation = find(item, index);
    if (violation !== undefined) return violation;
  }
  return undefined;
}
