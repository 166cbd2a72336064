import { DEFAULT_ORGANIZATION, type SecretValue } from "@flyte-secrets/core";
import { parseJson } from "./parse-json.ts";
import {
  assertUniqueEntries,
  decodeBase64,
  formatError,
  type SecretEntry,
  type SecretFormat,
  textValue,
} from "./secret-entry.ts";

/**
 * An object of names: a text value is a string, anything else an object of `text` or `base64` and, for an image-pull
 * secret, `type`. A name without value is null, which reading refuses. Or, for several scopes, a list of such objects
 * with `name` and, where they have one, `project` and `domain`.
 */
export const jsonFormat: SecretFormat = {
  name: "json",
  matches: (fileName) => fileName.endsWith(".json"),
  parse(text) {
    const parsed = parseObject(text);
    if (Array.isArray(parsed)) return assertUniqueEntries(parsed.map(parseScopedEntry));
    return Object.entries(parsed).map(([name, entry]) => parseEntry(name, entry));
  },
  print(entries, { scoped } = {}) {
    const content = scoped
      ? entries.map(toScopedJson)
      : Object.fromEntries(entries.map((entry) => [entry.name, toJson(entry)]));
    return `${JSON.stringify(content, null, 2)}\n`;
  },
};

function parseObject(text: string): object {
  const parsed = parseJson(text, (problem) => formatError(`the file ${problem}`));
  if (typeof parsed !== "object" || parsed === null) {
    throw formatError('expected a JSON object of names and values, such as {"api-key": "..."}');
  }
  return parsed;
}

function parseScopedEntry(item: unknown, index: number): SecretEntry {
  const {
    name,
    project = "",
    domain = "",
    ...entry
  }: { [key: string]: unknown } = typeof item === "object" && item !== null ? { ...item } : {};
  if (typeof name !== "string" || typeof project !== "string" || typeof domain !== "string") {
    throw formatError(
      `entry ${index + 1} of the list: expected name, and project and domain where it has them, as strings`,
    );
  }
  return { ...parseEntry(name, entry), scope: { org: DEFAULT_ORGANIZATION, project, domain } };
}

function parseEntry(name: string, entry: unknown): SecretEntry {
  if (typeof entry === "string") return { name, type: "generic", value: textValue(entry, name) };
  if (typeof entry !== "object" || entry === null) throw formatError(`${name} has no value: expected a string`);
  const { type = "regular", text, base64, ...rest } = entry as Record<string, unknown>; // a JSON object
  const [unknownKey] = Object.keys(rest);
  if (unknownKey !== undefined) throw formatError(`${name} has an unknown key: expected text or base64, and type`);
  if (type !== "regular" && type !== "image_pull") throw formatError(`${name}: type must be regular or image_pull`);
  return { name, type: type === "regular" ? "generic" : type, value: parseValue(name, text, base64) };
}

function parseValue(name: string, text: unknown, base64: unknown): SecretValue {
  if (typeof text === "string" && base64 === undefined) return textValue(text, name);
  if (typeof base64 === "string" && text === undefined) return decodeBase64(base64, name);
  throw formatError(`${name} needs either text or base64, a string`);
}

function toJson({ type, value }: SecretEntry): unknown {
  if (value === undefined) return null;
  const text = value.revealText();
  if (type === "generic" && text !== undefined) return text;
  return {
    ...(type === "image_pull" && { type }),
    ...(text === undefined ? { base64: value.revealBase64() } : { text }),
  };
}

function toScopedJson(entry: SecretEntry): object {
  const { project, domain } = entry.scope ?? { project: "", domain: "" };
  const content = toJson(entry);
  return {
    name: entry.name,
    ...(project !== "" && { project }),
    ...(domain !== "" && { domain }),
    ...(typeof content === "string" ? { text: content } : (content as object | null)), // see toJson
  };
}
