import { z } from "zod";
import { configSchema, SECTION_ALIASES } from "./schema/config-schema.ts";
import type { Effect, SettingMeta } from "./schema/setting.ts";

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

/** The documentation of a schema node, without what it inherits from its section. */
export function settingMeta(schema: z.core.$ZodType): Partial<SettingMeta> {
  // Every node of the schema is made by setting.ts, which attaches exactly this; zod types metadata as a loose record.
  return (z.globalRegistry.get(schema) ?? {}) as Partial<SettingMeta>;
}

function* walk(schema: z.ZodObject, keys: readonly string[], inherited: Effect): Generator<Section | Setting> {
  for (const [key, child] of Object.entries(schema.shape)) {
    const path = [...keys, key];
    const { about = "", type = "", shown = "", effect = inherited, open = false } = settingMeta(child);
    if (child instanceof z.ZodObject) {
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
