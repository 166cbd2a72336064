import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Awaitable, SecretsError, SecretValue } from "@flyte-secrets/core";
import type { GlobalInjectorOptions } from "@flyte-secrets/inject";
import type { Config } from "../config/schema.ts";

/**
 * Where the Global manager looks: variables and files of the process that runs it, as `secrets` of the configuration says.
 * `now` is in milliseconds since 1970.
 */
export function globalSecrets(
  { secrets }: Config,
  env: Readonly<Record<string, string | undefined>>,
  now: () => number = Date.now,
): GlobalInjectorOptions {
  return {
    readVariable: (name) => env[name],
    readFile: createFileReader(now),
    envPrefix: secrets["env-prefix"],
    directory: secrets["secrets-prefix"],
  };
}

/** How many files are remembered. */
const MAX_FILES = 1_000;
/** A file that was changed within this time can change again without a difference in its times, whose steps are coarse. */
const SETTLED_MS = 1_000;

/**
 * Reads a file when it is not as it was. That is looked up at each call, and waited for: secrets are mounted in memory, and most files
 * that are asked for aren't there.
 */
function createFileReader(now: () => number): (path: string) => Awaitable<SecretValue | undefined> {
  const remembered = new Map<string, { readonly state: string; readonly value: SecretValue }>();
  return (path) => {
    const file = statIfThere(path);
    if (!file) {
      remembered.delete(path);
      return undefined;
    }
    const state = [file.dev, file.ino, file.size, file.mtimeNs, file.ctimeNs].join();
    const known = remembered.get(path);
    if (known?.state === state) return known.value;
    const settled = now() - Number(file.mtimeMs > file.ctimeMs ? file.mtimeMs : file.ctimeMs) > SETTLED_MS;
    return readIfThere(path).then((value) => {
      if (remembered.size >= MAX_FILES) remembered.clear();
      if (value && settled) remembered.set(path, { state, value });
      return value;
    });
  };
}

function statIfThere(path: string) {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    throw cannotRead(path, error);
  }
}

async function readIfThere(path: string): Promise<SecretValue | undefined> {
  try {
    return SecretValue.fromBytes(await readFile(path));
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw cannotRead(path, error);
  }
}

function cannotRead(path: string, cause: unknown): SecretsError {
  return new SecretsError("store_unavailable", `${path}: cannot be read`, { cause });
}
