import { nearestName, quote, SecretsError } from "@flyte-secrets/core";

/**
 * Refuses what a compiler would have refused, for those who write JavaScript: `options` that is no object, or has
 * fields that `what` doesn't know. `example` shows how it is written. `invalid_argument`.
 */
export function checkFields(what: string, options: unknown, known: readonly string[], example: string): void {
  if (typeof options !== "object" || options === null) {
    throw new SecretsError("invalid_argument", `${what} takes an object, got ${describe(options)}: write ${example}.`);
  }
  for (const field of Object.keys(options)) {
    if (known.includes(field)) continue;
    const typed = field.toLowerCase();
    const meant = nearestName(field, known) ?? known.find((name) => name.toLowerCase().startsWith(typed));
    throw new SecretsError(
      "invalid_argument",
      `${what} has no field ${quote(field)}${meant === undefined ? "" : `; did you mean ${meant}?`} Its fields ` +
        `are ${known.join(", ")}.`,
    );
  }
}

/** Refuses fields that are there and no text. `invalid_argument`. */
export function checkTexts(what: string, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || typeof value === "string") continue;
    throw new SecretsError("invalid_argument", `${what}'s ${name} must be text, got ${describe(value)}.`);
  }
}

/** A value of the wrong type, without what is in it. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
