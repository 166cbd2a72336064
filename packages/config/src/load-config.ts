import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import type { ResolveContext } from "./resolve/resolve-context.ts";
import { resolveSecret } from "./resolve/resolve-secret.ts";
import { resolveWebhook } from "./resolve/resolve-webhook.ts";
import { type Config, configSchema, type Settings } from "./schema/config-schema.ts";
import { RefusedValue } from "./schema/read.ts";
import type { SectionSchema, SettingSchema, Shape, ValuesOf } from "./schema/setting.ts";
import type { Assignment } from "./sources/assignment.ts";
import { findConfigFiles, parseConfigText, readConfigFile } from "./sources/config-files.ts";
import { readFoundFile } from "./sources/found-file.ts";
import { type Environment, readEnvironment, readFlags } from "./sources/overrides.ts";

/** The sources of a configuration. Files are read; nothing else is opened. */
export interface ConfigSources {
  /** Paths and globs of `--config`; later ones win. When empty, {@link ConfigSources.defaultFiles} are read. */
  readonly files: readonly string[];
  readonly env: Environment;
  /** By the path of a setting, such as `secret.server.port`. */
  readonly flags: Readonly<Record<string, string>>;
  /** The flag as it was typed, such as `--port`, for those of `flags` that have a short form. */
  readonly flagNames?: Readonly<Record<string, string>>;
  /** The user's home directory, for `~`. */
  readonly home: string;
  /** The directory that relative paths start from. */
  readonly cwd: string;
  /**
   * Files that are read where they exist when `files` is empty; `./config.yaml` and `/etc/flyte/config/config.yaml` by
   * default. A relative one is found by chance, so it may give only some settings: see {@link readFoundFile}.
   */
  readonly defaultFiles?: readonly string[];
  /**
   * Configurations that the caller has read, such as from a ConfigMap; they replace the default files when `files` is
   * empty.
   */
  readonly texts?: readonly ConfigText[];
  /** Receives a warning about each file that is ignored. */
  readonly warn?: (message: string) => void;
}

/** A YAML text, and its name in errors. */
export interface ConfigText {
  readonly origin: string;
  readonly text: string;
}

const DEFAULT_FILES = ["config.yaml", "/etc/flyte/config/config.yaml"];

/**
 * Loads the configuration. Flags override the environment, which overrides the files; later files override earlier
 * ones.
 * @throws SecretsError `invalid_config` that names file and line (or variable, or flag), the key, its rule and what to
 * write instead; never the value.
 */
export function loadConfig(sources: ConfigSources): Config {
  const given = new Map<string, Assignment>();
  const all = [...readFiles(sources), ...readEnvironment(sources.env), ...readFlags(sources.flags, sources.flagNames)];
  for (const assignment of all) given.set(assignment.path, assignment);
  return resolveConfig(readSection(configSchema, [], given), { ...sources, given });
}

function readFiles({ files, texts, defaultFiles = DEFAULT_FILES, cwd, warn = () => {} }: ConfigSources): Assignment[] {
  if (files.length > 0) return findConfigFiles(files, cwd).flatMap((file) => readConfigFile(file, cwd));
  if (texts) return texts.flatMap(({ origin, text }) => parseConfigText(Buffer.from(text), origin));
  return defaultFiles.flatMap((file) => {
    if (!isAbsolute(file)) return readFoundFile(file, { cwd, warn });
    return existsSync(file) ? readConfigFile(file, cwd) : [];
  });
}

/** The values of a section whose path is `keys`. */
function readSection<S extends Shape>(
  { shape }: SectionSchema<S>,
  keys: readonly string[],
  given: ReadonlyMap<string, Assignment>,
): ValuesOf<S> {
  const values = Object.entries(shape).map(([key, child]) => {
    const path = [...keys, key];
    return [
      key,
      child.kind === "section" ? readSection(child, path, given) : readSetting(child, path.join("."), given),
    ];
  });
  // Each key has the value that its own schema reads.
  return Object.fromEntries(values) as ValuesOf<S>;
}

function readSetting<T>(setting: SettingSchema<T>, path: string, given: ReadonlyMap<string, Assignment>): T {
  const assigned = given.get(path);
  if (assigned === undefined) return setting.default;
  try {
    return setting.read(assigned.value);
  } catch (error) {
    if (!(error instanceof RefusedValue)) throw error;
    throw new SecretsError("invalid_config", `${assigned.origin}: ${[path, ...error.path].join(".")} ${error.message}`);
  }
}

/**
 * Resolves what the schema leaves open: the kind of store, defaults that depend on it, the short forms of Flyte's
 * guides, paths (absolute, `~` replaced) and the master key (C-11, C-12).
 * @throws SecretsError `invalid_config` for settings that contradict each other.
 */
function resolveConfig(settings: Settings, context: ResolveContext): Config {
  return {
    ...settings,
    secret: resolveSecret(settings, context),
    webhook: resolveWebhook(settings, context),
  };
}
