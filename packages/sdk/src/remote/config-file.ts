import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { decodeText, NOT_TEXT, otherWriter, SecretsError, withinStack } from "@flyte-secrets/core";
import type { ClientEnvironment } from "../environment.ts";
import { type ClientSettings, readSettings } from "./settings.ts";

/** A client configuration file of Flyte's. */
export interface ConfigFile {
  readonly path: string;
  /** What it says; of a file that was only found, project and domain. */
  readonly settings: ClientSettings;
  /** Whether it was only found, and names an endpoint, which doesn't count. */
  readonly ignoresEndpoint: boolean;
}

/**
 * Reads Flyte's client configuration: the file given, else the first of `./config.yaml`, `./.flyte/config.yaml`, `<git
 * root>/.flyte/config.yaml`, `$UCTL_CONFIG`, `$FLYTECTL_CONFIG`, `~/.union/config.yaml`, `~/.flyte/config.yaml`;
 * undefined when there is none. A file that nothing names is left out, with a warning, when others than this user and
 * root may write it; of the first three, which are found by where somebody happens to be, project and domain alone
 * count. `invalid_config` when a file that was named is not there, or a file is broken.
 */
export async function readClientConfig(
  given: string | undefined,
  environment: ClientEnvironment,
): Promise<ConfigFile | undefined> {
  for (const { path, namedBy, isFound } of await candidates(given, environment)) {
    // What can't be read is no reason to fail where nobody has asked for it.
    const file = isFound ? await readFileIfThere(path).catch(() => undefined) : await readFileIfThere(path);
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

/** `namedBy` is the setting that names the file: it must be there then. */
type Candidate = { readonly path: string; readonly namedBy?: string; readonly isFound?: boolean };

/** In Flyte's order. What a variable names, and what lies in the home directory, is no find, wherever the user is. */
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
 * Whether others may write the file, its link or its directory (but in a sticky one, `/tmp`, nobody can replace it).
 * Warns then.
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

/** A file that holds no map says nothing: `./config.yaml` may be some other tool's. */
async function parseSettings(text: string, path: string): Promise<ClientSettings> {
  // Loaded for those who have such a file.
  const { isMap, LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  // Its warnings and its own wording of errors quote the file, which may hold a client's secret.
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

/** Configuration and certificates are far smaller; what is larger is something else. */
const MAX_BYTES = 1_048_576;

/** A file as it was opened. */
export interface OpenedFile {
  readonly text: string;
  readonly stats: Stats;
}

/**
 * A file's text, or undefined when there is none, or a directory or pipe in its place. `invalid_config` when it is
 * there and can't be read, or is larger than 1 MiB.
 */
export async function readFileIfThere(path: string): Promise<OpenedFile | undefined> {
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
