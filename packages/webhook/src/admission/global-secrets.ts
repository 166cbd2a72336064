import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { ByteBudget, excerpt, type MaybePromise, SecretsError, SecretValue } from "@flyte-secrets/core";
import type { GlobalInjectorOptions } from "@flyte-secrets/inject";

/** The prefix of the Global manager's variables, and the directory of its files. */
export type GlobalOptions = Required<Pick<GlobalInjectorOptions, "envPrefix" | "directory">>;

/** Reads the variables and files of this process for the Global manager. `now` is in milliseconds since 1970. */
export function globalSecrets(
  options: GlobalOptions,
  env: Readonly<Record<string, string | undefined>>,
  now: () => number = Date.now,
): GlobalInjectorOptions {
  return {
    readVariable: (name) => env[name],
    readFile: createFileReader(now),
    ...options,
  };
}

/** The maximum size of all cached files. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Rough cost of a file beside its path and content. */
const FILE_BYTES = 500;
/**
 * A file that was changed within this time can change again without a difference in its times, whose steps are coarse.
 */
const SETTLED_MS = 1_000;

/**
 * Reads a file if it has changed since the last call. The file's state is read synchronously at each call: secrets are
 * mounted in memory, and most of the files do not exist.
 */
function createFileReader(now: () => number): (path: string) => MaybePromise<SecretValue | undefined> {
  const remembered = new Map<string, { readonly state: string; readonly value: SecretValue }>();
  const budget = new ByteBudget(MAX_BYTES, () => remembered.clear());
  return (path) => {
    const file = statOptionalFile(path);
    if (!file) {
      remembered.delete(path);
      return undefined;
    }
    const state = [file.dev, file.ino, file.size, file.mtimeNs, file.ctimeNs].join();
    const known = remembered.get(path);
    if (known?.state === state) return known.value;
    const settled = now() - Number(file.mtimeMs > file.ctimeMs ? file.mtimeMs : file.ctimeMs) > SETTLED_MS;
    return readOptionalFile(path).then((value) => {
      if (value && settled && budget.admit(FILE_BYTES + path.length + value.byteLength)) {
        remembered.set(path, { state, value });
      }
      return value;
    });
  };
}

function statOptionalFile(path: string) {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    return undefinedIfAbsent(path, error);
  }
}

async function readOptionalFile(path: string): Promise<SecretValue | undefined> {
  try {
    return SecretValue.fromBytes(await readFile(path));
  } catch (error) {
    return undefinedIfAbsent(path, error);
  }
}

/** The system's codes for a path without a file, and for one that no file can have. */
const ABSENT: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

/** The system's codes for a file that stays unreadable until somebody repairs it, so that a retry does not help. */
const UNREADABLE: ReadonlyMap<unknown, string> = new Map([
  ["EISDIR", "it is a directory"],
  ["ELOOP", "its symbolic links lead in a circle"],
  ["EACCES", "the webhook's user may not read it: change its mode or owner"],
  ["EPERM", "the system doesn't let the webhook read it"],
]);

function undefinedIfAbsent(path: string, error: unknown): undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (ABSENT.has(code)) return undefined;
  const reason = UNREADABLE.get(code);
  const what = `${excerpt(path)}: cannot be read`;
  if (reason !== undefined) throw new SecretsError("value_unreadable", `${what}: ${reason}`);
  throw new SecretsError("store_unavailable", what, { cause: error });
}
