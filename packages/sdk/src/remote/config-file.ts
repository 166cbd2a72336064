import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { decodeText, NOT_TEXT, otherWriter, SecretsError, withinStack } from "@flyte-secrets/core";
import type { ClientEnvironment } from "../environment.ts";
import { type ClientSettings, readSettings } from "./settings.ts";

/** A configuration file of Flyte's clients. */
export interface ConfigFile {
  readonly path: string;
  /** Its settings; only project and domain for a file that was merely found. */
  readonly settings: ClientSettings;
  /** Whether it was merely found and has an endpoint, which is ignored. */
  readonly ignoresEndpoint: boolean;
}

/**
 * Reads the configuration of Flyte's clients: the given file, else the first of `./config.yaml`,
 * `./.flyte/config.yaml`, `<git root>/.flyte/config.yaml`, `$UCTL_CONFIG`, `$FLYTECTL_CONFIG`, `~/.union/config.yaml`,
 * `~/.flyte/config.yaml`; undefined when none exists. The first three depend on the current directory, so that only
 * project and domain are read from them. A file that the user has not named is ignored, with a warning, if others than
 * this user and root may write it. Throws `invalid_config` when a named file does not exist, or a file is broken.
 */
export async function readClientConfig(
  given: string | undefined,
  environment: ClientEnvironment,
): Promise<ConfigFile | undefined> {
  for (const { path, namedBy, isFound } of await candidates(given, environment)) {
    // A file that was merely found and cannot be read is ignored.
    const file = isFound ? await readOptionalFile(path).catch(() => undefined) : await readOptionalFile(path);
    if (file !== undefined) {
      if (namedBy === undefined && (await isLeftOut(path, file, environment))) continue;
      const settings = await parseSettings(file.text, path);
      if (!isFound) return { path, settings, ignoresEndpoint: false };
      const { project, domain, endpoint } = settings;
      return { path, settings: { project, domain }, ignoresEndpoint: endpoint !== undefined };
    }
    if (namedBy !== undefined) {
      throw new SecretsError("invalid_config", `${namedBy} names ${path}, which is not there.`);
    }
  }
  return undefined;
}

/**
 * A file to try. `namedBy` is the setting with its path, in which case it must exist; `isFound` means that its path
 * depends on the current directory.
 */
type Candidate = { readonly path: string; readonly namedBy?: string; readonly isFound?: boolean };

/**
 * The files to try, in Flyte's order. Files named by a variable and those in the home directory do not count as found.
 */
async function candidates(given: string | undefined, environment: ClientEnvironment): Promise<readonly Candidate[]> {
  const { variables, cwd, home } = environment;
  const named = (path: string | undefined, namedBy: string): Candidate[] =>
    path
      ? [
          {
            path: resolve(
              cwd,
              path.replace(/^~(?=\/|$)/, () => home),
            ),
            namedBy,
          },
        ]
      : [];
  if (given !== undefined) return named(given, "config");
  const chosen: readonly Candidate[] = [
    ...named(variables.UCTL_CONFIG, "UCTL_CONFIG"),
    ...named(variables.FLYTECTL_CONFIG, "FLYTECTL_CONFIG"),
    { path: join(home, ".union/config.yaml") },
    { path: join(home, ".flyte/config.yaml") },
  ];
  const gitRoot = await findGitRoot(cwd);
  const found = [
    join(cwd, "config.yaml"),
    join(cwd, ".flyte/config.yaml"),
    ...(gitRoot === undefined ? [] : [join(gitRoot, ".flyte/config.yaml")]),
  ];
  const isChosen = (path: string) => chosen.some((candidate) => candidate.path === path);
  return [...found.map((path) => ({ path, isFound: !isChosen(path) })), ...chosen];
}

/**
 * Whether others may write the file, its link or its directory; a sticky directory such as `/tmp` is safe, since nobody
 * can replace another user's file there. Warns if so.
 */
async function isLeftOut(
  path: string,
  { stats }: OpenedFile,
  { warn = emitWarning }: ClientEnvironment,
): Promise<boolean> {
  const user = process.geteuid?.();
  const { uid, gid, mode } = await stat(dirname(path));
  const directory = otherWriter({ uid, gid, mode: (mode & STICKY) === 0 ? mode : 0 }, user);
  const file = otherWriter(stats, user) ?? otherWriter(await lstat(path), user);
  const why = file ?? (directory && `its directory isn't this user's: ${directory}`);
  if (why !== undefined) warn(`${path} is left out: ${why}. To use it all the same, name it: --config ${path}`);
  return why !== undefined;
}

const STICKY = 0o1000;

const emitWarning = (message: string): void => process.emitWarning(message);

async function findGitRoot(directory: string): Promise<string | undefined> {
  const isRoot = await stat(join(directory, ".git")).then(
    () => true,
    () => false,
  );
  if (isRoot) return directory;
  const parent = dirname(directory);
  return parent === directory ? undefined : findGitRoot(parent);
}

/** A file without a map has no settings: `./config.yaml` may belong to another tool. */
async function parseSettings(text: string, path: string): Promise<ClientSettings> {
  // Loaded only if there is a file.
  const { isMap, LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  // The parser's warnings and messages quote the file, which may contain a client's secret.
  const document = withinStack(
    () => parseDocument(text, { lineCounter, prettyErrors: false, logLevel: "error" }),
    () => new SecretsError("invalid_config", `${path} is not YAML that can be read: it is nested too deeply.`),
  );
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new SecretsError("invalid_config", `${path} is not YAML: ${error.code} at line ${line}, column ${col}.`);
  }
  const read = (key: string): unknown => {
    const [section, name] = key.split(".");
    const map = document.get(section);
    return isMap(map) ? map.get(name) : undefined;
  };
  return readSettings(read, (key) => `${path}: ${key}`);
}

/** Configuration files and certificates are far smaller; a larger file is something else. */
const MAX_BYTES = 1_048_576;

/** An opened file. */
export interface OpenedFile {
  readonly text: string;
  readonly stats: Stats;
}

/**
 * Reads a file; undefined when there is none, or a directory or pipe in its place. Throws `invalid_config` when it
 * cannot be read or is larger than 1 MiB.
 */
export async function readOptionalFile(path: string): Promise<OpenedFile | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return undefined;
    if (stats.size > MAX_BYTES) throw new SecretsError("invalid_config", `${path} is larger than ${MAX_BYTES} bytes.`);
    const text = decodeText(await file.readFile());
    if (text === undefined) throw new SecretsError("invalid_config", `${path}: ${NOT_TEXT}.`);
    return { text, stats };
  } catch (cause) {
    if (cause instanceof SecretsError) throw cause;
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new SecretsError("invalid_config", `${path} cannot be read (${String(code)}).`, { cause });
  } finally {
    await file?.close();
  }
}
