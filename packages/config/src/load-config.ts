import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { z } from "zod";
import type { Assignment } from "./assignment.ts";
import { findConfigFiles } from "./find-config-files.ts";
import { parseConfigText, readConfigFile } from "./read-config-file.ts";
import { readFoundFile } from "./read-found-file.ts";
import { type Environment, readEnvironment, readFlags } from "./read-overrides.ts";
import { resolveConfig } from "./resolve-config.ts";
import { type Config, configSchema, type Settings } from "./schema.ts";

/** Where a configuration comes from. All I/O is reading the files. */
export interface ConfigSources {
  /** Paths and globs, as `--config` gave them; later ones win. Empty: {@link ConfigSources.defaultFiles}. */
  readonly files: readonly string[];
  readonly env: Environment;
  /** By the path of a setting, such as `secret.server.port`. */
  readonly flags: Readonly<Record<string, string>>;
  /** What was typed, such as `--port`, for those of `flags` that have a short form. */
  readonly flagNames?: Readonly<Record<string, string>>;
  /** The user's home directory, for `~`. */
  readonly home: string;
  /** Where relative paths start. */
  readonly cwd: string;
  /**
   * Read where they exist when `files` is empty; `./config.yaml` and `/etc/flyte/config/config.yaml` when not given. Of a relative one,
   * which is found by chance, only some settings count: see {@link readFoundFile}.
   */
  readonly defaultFiles?: readonly string[];
  /** What somebody has read elsewhere, such as in a ConfigMap: in the place of the default files when `files` is empty. */
  readonly texts?: readonly ConfigText[];
  /** Hears of a file that doesn't count. */
  readonly warn?: (message: string) => void;
}

/** YAML, and what errors call it. */
export interface ConfigText {
  readonly origin: string;
  readonly text: string;
}

const DEFAULT_FILES = ["config.yaml", "/etc/flyte/config/config.yaml"];

/**
 * The configuration: defaults, over them the files in order, over them the environment, over it the flags.
 * @throws SecretsError `invalid_config` that names file and line (or variable, or flag), the key, its rule and what to write
 * instead; never the value.
 */
export function loadConfig(sources: ConfigSources): Config {
  const given = new Map<string, Assignment>();
  const all = [...readFiles(sources), ...readEnvironment(sources.env), ...readFlags(sources.flags, sources.flagNames)];
  for (const assignment of all) given.set(assignment.path, assignment);
  return resolveConfig(parseSettings(given), { ...sources, given });
}

function readFiles({ files, texts, defaultFiles = DEFAULT_FILES, cwd, warn = () => {} }: ConfigSources): Assignment[] {
  if (files.length > 0) return findConfigFiles(files, cwd).flatMap((file) => readConfigFile(file, cwd));
  if (texts) return texts.flatMap(({ origin, text }) => parseConfigText(Buffer.from(text), origin));
  return defaultFiles.flatMap((file) => {
    if (!isAbsolute(file)) return readFoundFile(file, { cwd, warn });
    return existsSync(file) ? readConfigFile(file, cwd) : [];
  });
}

function parseSettings(given: ReadonlyMap<string, Assignment>): Settings {
  const result = configSchema.safeParse(toTree(configSchema, [], given));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  const source = [...given.values()].find((item) => path === item.path || path.startsWith(`${item.path}.`));
  throw new SecretsError("invalid_config", `${source?.origin}: ${path} ${issue?.message}`);
}

function toTree(schema: z.ZodObject, keys: readonly string[], given: ReadonlyMap<string, Assignment>): object {
  return Object.fromEntries(
    Object.entries(schema.shape).map(([key, child]) => {
      const path = [...keys, key];
      return [key, child instanceof z.ZodObject ? toTree(child, path, given) : given.get(path.join("."))?.value];
    }),
  );
}
