import { excerpt, isObject, nearestName, SecretsError } from "@flyte-secrets/core";
import { listSettings, type Setting } from "../list-settings.ts";
import { configSchema, REFUSED_KEYS, SECTION_ALIASES } from "../schema/config-schema.ts";
import type { SectionSchema, Shape } from "../schema/setting.ts";

/** A value that a source gives a setting. It is not validated yet. */
export interface Assignment {
  /** The setting's path as in the schema, such as `secret.server.port`. */
  readonly path: string;
  readonly value: unknown;
  /** Where the source gives it, for messages: `config.yaml:12`, `environment variable X`, `flag --x`. */
  readonly origin: string;
}

/**
 * Reads the assignments of a tree of sections, such as a YAML document. Keys are matched case-insensitively; a map may
 * be a list of one-key maps; null assigns nothing. Other programs' sections are ignored, and so are their keys in
 * shared sections.
 * @throws SecretsError `invalid_config` for an unknown key in a section of ours, with `originOf` its keys and the nearest
 * known key; and for a section, or a key of a shared one, that is one edit away from one of ours, as a typing error
 * would otherwise go unnoticed.
 */
export function assignTree(tree: unknown, originOf: (keys: readonly (string | number)[]) => string): Assignment[] {
  return [...assign({ schema: configSchema, path: [], value: tree, keys: [] }, originOf)];
}

/** Resolves a dotted name to the path of its setting. Throws as {@link assignTree} does. */
export function resolveSettingPath(name: string, origin: string): string {
  let schema: Shape[string] = configSchema;
  const path: string[] = [];
  for (const part of name.split(".")) {
    const key: string | undefined = schema.kind === "section" ? matchKey(schema, part) : undefined;
    const child: Shape[string] | undefined =
      schema.kind === "section" && key !== undefined ? schema.shape[key] : undefined;
    if (key === undefined || child === undefined) throw unknownKey([...path, part], schema, origin);
    path.push(key);
    schema = child;
  }
  if (schema.kind === "section") {
    const keys = Object.keys(schema.shape).join(", ");
    throw new SecretsError("invalid_config", `${origin}: ${path.join(".")} is a section; its keys are ${keys}`);
  }
  return path.join(".");
}

interface Node {
  readonly schema: Shape[string];
  readonly path: readonly string[];
  readonly value: unknown;
  /** The keys and indexes that lead to the value in the document, as written there. */
  readonly keys: readonly (string | number)[];
}

function* assign(node: Node, originOf: (keys: Node["keys"]) => string): Generator<Assignment> {
  const { schema, path, value, keys } = node;
  if (value === null || value === undefined) return;
  if (schema.kind === "setting") {
    yield { path: path.join("."), value, origin: originOf(keys) };
    return;
  }
  for (const [name, child, childKeys] of entriesOf(node, originOf)) {
    const key = matchKey(schema, name);
    const childSchema = key === undefined ? undefined : schema.shape[key];
    if (key !== undefined && childSchema !== undefined) {
      yield* assign({ schema: childSchema, path: [...path, key], value: child, keys: childKeys }, originOf);
    } else if (path.length > 0 && schema.meta.open !== true) {
      throw unknownKey([...path, name], schema, originOf(childKeys));
    } else {
      assertNoTypingError([...path, name], schema, originOf(childKeys));
    }
  }
}

function* entriesOf({ path, value, keys }: Node, originOf: (keys: Node["keys"]) => string) {
  const parts = Array.isArray(value) ? value : [value];
  for (const [index, part] of parts.entries()) {
    if (!isObject(part)) {
      throw new SecretsError("invalid_config", `${originOf(keys)}: ${path.join(".") || "the document"} must be a map`);
    }
    const at = Array.isArray(value) ? [...keys, index] : keys;
    for (const [name, child] of Object.entries(part)) yield [name, child, [...at, name]] as const;
  }
}

function matchKey(schema: SectionSchema<Shape>, name: string): string | undefined {
  const lower = name.toLowerCase();
  const alias = schema === configSchema ? SECTION_ALIASES.get(lower) : undefined;
  return alias ?? Object.keys(schema.shape).find((key) => key.toLowerCase() === lower);
}

/** None of Flyte's own sections, nor of its keys in `executor` and `actions`, is one edit away from ours. */
function assertNoTypingError(path: readonly string[], schema: SectionSchema<Shape>, origin: string): void {
  const aliases = schema === configSchema ? SECTION_ALIASES.keys() : [];
  const nearest = nearestName(path.at(-1) ?? "", [...Object.keys(schema.shape), ...aliases], 1);
  if (nearest === undefined) return;
  const [typed, meant] = [path, [...path.slice(0, -1), nearest]].map((keys) => excerpt(keys.join(".")));
  throw new SecretsError(
    "invalid_config",
    `${origin}: unknown ${path.length === 1 ? "section" : "key"} ${typed}; did you mean ${meant}?`,
  );
}

function unknownKey(path: readonly string[], schema: Shape[string], origin: string): SecretsError {
  const [typed = "", parent] = [path.at(-1), path.slice(0, -1).join(".")];
  const siblings = schema.kind === "section" ? Object.keys(schema.shape) : [];
  const sibling = nearestName(typed, siblings);
  const elsewhere = listSettings().filter((setting) => setting.path.startsWith(`${path[0]}.`));
  const misplaced = nearestName(typed, elsewhere.map(lastKey));
  const nearest =
    sibling === undefined
      ? elsewhere.find((setting) => lastKey(setting) === misplaced)?.path
      : [parent, sibling].filter((part) => part !== "").join(".");
  const known = parent === "" ? "the sections are" : `the keys of ${parent} are`;
  const guess = nearest === undefined ? `${known} ${siblings.join(", ")}` : `did you mean ${nearest}?`;
  const hint = REFUSED_KEYS.get(path.join(".")) ?? guess;
  return new SecretsError("invalid_config", `${origin}: unknown key ${excerpt(path.join("."))}; ${hint}`);
}

function lastKey(setting: Setting): string {
  return setting.path.slice(setting.path.lastIndexOf(".") + 1);
}
