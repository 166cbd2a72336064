import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import type { Environment } from "../environment.ts";
import { readFileIfThere } from "./read-file-if-there.ts";
import { readSettings, type Settings } from "./settings.ts";

/** A client configuration file of Flyte's. */
export interface ConfigFile {
  readonly path: string;
  readonly settings: Settings;
}

/**
 * Reads Flyte's client configuration: the file given, else the first of `./config.yaml`, `./.flyte/config.yaml`,
 * `<git root>/.flyte/config.yaml`, `$UCTL_CONFIG`, `$FLYTECTL_CONFIG`, `~/.union/config.yaml`, `~/.flyte/config.yaml`;
 * undefined when there is none. `invalid_config` when a file that was named is not there, or a file is broken.
 */
export async function readConfigFile(
  given: string | undefined,
  environment: Environment,
): Promise<ConfigFile | undefined> {
  for (const { path, namedBy } of await candidates(given, environment)) {
    const text = await readFileIfThere(path);
    if (text !== undefined) return { path, settings: await parseSettings(text, path) };
    if (namedBy !== undefined) {
      throw new SecretsError("invalid_config", `${namedBy} names ${path}, which is not there.`);
    }
  }
  return undefined;
}

/** In Flyte's order. `namedBy` is the setting that names the file: it must be there then. */
type Candidate = { readonly path: string; readonly namedBy?: string };

async function candidates(given: string | undefined, environment: Environment): Promise<readonly Candidate[]> {
  const { variables, cwd, home } = environment;
  const named = (path: string | undefined, namedBy: string): Candidate[] =>
    path ? [{ path: resolve(cwd, path.replace(/^~(?=\/|$)/, home)), namedBy }] : [];
  if (given !== undefined) return named(given, "config");
  const gitRoot = await findGitRoot(cwd);
  return [
    { path: join(cwd, "config.yaml") },
    { path: join(cwd, ".flyte/config.yaml") },
    ...(gitRoot === undefined ? [] : [{ path: join(gitRoot, ".flyte/config.yaml") }]),
    ...named(variables.UCTL_CONFIG, "UCTL_CONFIG"),
    ...named(variables.FLYTECTL_CONFIG, "FLYTECTL_CONFIG"),
    { path: join(home, ".union/config.yaml") },
    { path: join(home, ".flyte/config.yaml") },
  ];
}

async function findGitRoot(directory: string): Promise<string | undefined> {
  const isRoot = await stat(join(directory, ".git")).then(
    () => true,
    () => false,
  );
  if (isRoot) return directory;
  const parent = dirname(directory);
  return parent === directory ? undefined : findGitRoot(parent);
}

/** A file that holds no map says nothing: `./config.yaml` may be some other tool's. */
async function parseSettings(text: string, path: string): Promise<Settings> {
  // Loaded for those who have such a file.
  const { isMap, parseDocument } = await import("yaml");
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    // The parser's own message quotes the file, which may hold a client's secret.
    const [{ line, col }] = error.linePos ?? [{ line: 1, col: 1 }];
    throw new SecretsError("invalid_config", `${path} is not YAML: ${error.code} at line ${line}, column ${col}.`);
  }
  const read = (key: string): unknown => {
    const [section, name] = key.split(".");
    const map = document.get(section);
    return isMap(map) ? map.get(name) : undefined;
  };
  return readSettings(read, (key) => `${path}: ${key}`);
}
