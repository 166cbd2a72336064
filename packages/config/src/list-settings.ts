import { configSchema, SECTION_ALIASES } from "./schema/config-schema.ts";
import type { Effect, SectionSchema, Shape } from "./schema/setting.ts";

/** A setting: its path, its type and its description. */
export interface Setting {
  /** Dotted, such as `secret.server.port`; also the name of its flag after `--`. */
  readonly path: string;
  /** Environment variables, in order of precedence: `SECRET.SERVER.PORT`, `SECRET_SERVER_PORT`. */
  readonly variables: readonly string[];
  readonly about: string;
  readonly type: string;
  /** The default as YAML. */
  readonly default: string;
  readonly effect: Effect;
}

/** A group of settings. */
export interface Section {
  /** Dotted, such as `secret.server`. */
  readonly path: string;
  readonly about: string;
  /** Whether the section is shared with Flyte, so that it may have other keys. */
  readonly open: boolean;
}

/** Every setting, in the order of the schema. */
export function listSettings(): Setting[] {
  return listEntries().filter((entry) => "type" in entry);
}

/** Every section, each before what it holds, and every setting; in the order of the schema. */
export function listEntries(): (Section | Setting)[] {
  return [...walk(configSchema, [], "now")];
}

function* walk(
  { shape }: SectionSchema<Shape>,
  keys: readonly string[],
  inherited: Effect,
): Generator<Section | Setting> {
  for (const [key, child] of Object.entries(shape)) {
    const path = [...keys, key];
    const { about, type = "", shown = "", effect = inherited, open = false } = child.meta;
    if (child.kind === "section") {
      yield { path: path.join("."), about, open };
      yield* walk(child, path, effect);
    } else {
      yield { path: path.join("."), variables: variablesOf(path), about, type, default: shown, effect };
    }
  }
}

function variablesOf([section = "", ...keys]: readonly string[]): string[] {
  const aliases = [...SECTION_ALIASES].filter(([, name]) => name === section).map(([alias]) => alias);
  return [section, ...aliases].flatMap((name) => {
    const dotted = [name, ...keys].join(".").toUpperCase().replaceAll("-", "_");
    return [dotted, dotted.replaceAll(".", "_")];
  });
}
