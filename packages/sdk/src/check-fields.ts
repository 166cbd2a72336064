import { nearestName, quote, SecretsError } from "@flyte-secrets/core";

/**
 * Checks in JavaScript what the compiler checks in TypeScript. Throws `invalid_argument` when `options` is no object or
 * has a field that `what` does not have; the message shows `example`.
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

/** Throws `invalid_argument` for fields that are set and not strings. */
export function checkTexts(what: string, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || typeof value === "string") continue;
    throw new SecretsError("invalid_argument", `${what}'s ${name} must be text, got ${describe(value)}.`);
  }
}

/** Describes a value of the wrong type without its content. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
